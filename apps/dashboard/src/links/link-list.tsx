import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Sort } from '../address.ts'
import type { Link } from '../api/links.ts'
import { newestLinksUrl } from '../api/links.ts'
import type { Polled } from '../api/poll.ts'
import { usePolled } from '../api/poll.ts'
import type { ListedLink } from '../api/stats.ts'
import { linksUrl } from '../api/stats.ts'
import { PageLink, useNavigation } from '../navigation.tsx'
import { Freshness, LagBanner, ProblemBanner } from '../page/freshness.tsx'
import { useNow } from '../text/now.ts'
import { EmptyList } from './empty-list.tsx'
import type { RowLink } from './link-row.tsx'
import { LinkRow } from './link-row.tsx'
import { ListChips, ListControls } from './list-controls.tsx'

/** Every link, with or without visits. */
export function NewestLinks() {
  const { address } = useNavigation()
  const polled = usePolled<Link[]>({ url: newestLinksUrl(address), about: undefined })
  return <LinkList polled={polled} sort="newest" />
}

/** Links by their visits. */
export function RankedLinks() {
  const { address } = useNavigation()
  const polled = usePolled<ListedLink[]>({ url: linksUrl(address), about: undefined })
  return (
    <LinkList polled={polled} sort={address.sort}>
      <Freshness pending={polled.pending} />
    </LinkList>
  )
}

function LinkList(props: { polled: Polled<RowLink[]>; sort: Sort; children?: ComponentChildren }) {
  const { polled, sort } = props
  const { address } = useNavigation()
  const now = useNow()
  const { response, isCurrent, next, problem } = polled
  const links = response?.data
  const after = next?.get('after') ?? undefined
  const list = useRef<HTMLOListElement>(null)
  useFocusAfterRow(list, links)
  return (
    <>
      <ProblemBanner problem={problem} />
      <LagBanner lagMs={polled.lagMs} />
      <section class="card" aria-labelledby="links">
        <div class="card-head">
          <h2 id="links" tabIndex={-1}>
            Links
          </h2>
          <ListControls listedTags={(links ?? []).flatMap(({ tags = [] }) => tags).join()} />
        </div>
        <ListChips />
        <div aria-busy={!isCurrent && problem === undefined}>
          {links === undefined && problem === undefined && <PlaceholderRows />}
          {links?.length === 0 && (
            <EmptyList pending={polled.pending} sort={sort} isLast={after === undefined} />
          )}
          {links !== undefined && links.length > 0 && (
            <ol ref={list} class="link-rows">
              {links.map(link => (
                <LinkRow key={link.slug} link={link} sort={sort} pending={polled.pending} now={now} />
              ))}
            </ol>
          )}
        </div>
        {(props.children !== undefined || address.after !== undefined || after !== undefined) && (
          <div class="card-foot">
            {props.children ?? <span />}
            <nav class="actions" aria-label="Pages of the list">
              {address.after !== undefined && (
                <PageLink to={{ after: undefined }} class="button">
                  To the top
                </PageLink>
              )}
              {isCurrent && after !== undefined && (
                <PageLink to={{ after }} class="button">
                  Next page
                </PageLink>
              )}
            </nav>
          </div>
        )}
      </section>
    </>
  )
}

/**
 * When the row that had the focus goes, because its link was deleted or is no longer what the list shows, the next one
 * gets it. A dialog that is open for the row has the focus first.
 */
function useFocusAfterRow(list: { current: HTMLElement | null }, links: unknown): void {
  const focused = useRef<{ row: Element; index: number }>(undefined)

  function moveOn(): void {
    const last = focused.current
    if (last === undefined || last.row.isConnected || document.activeElement !== document.body) return
    focused.current = undefined
    const rows = list.current?.children
    const next = rows?.[Math.min(last.index, rows.length - 1)]?.querySelector<HTMLElement>('.slug')
    const target = next ?? document.getElementById('links')
    target?.focus()
  }

  useEffect(() => {
    function remember({ target }: FocusEvent): void {
      if (!(target instanceof Element) || target.closest('dialog') !== null) return
      const row = target.closest('.link-rows > li')
      const index = [...(row?.parentElement?.children ?? [])].indexOf(row as Element)
      focused.current = row === null ? undefined : { row, index }
    }
    document.addEventListener('focusin', remember)
    // The event does not bubble.
    document.addEventListener('close', moveOn, { capture: true })
    return () => {
      document.removeEventListener('focusin', remember)
      document.removeEventListener('close', moveOn, { capture: true })
    }
  }, [])
  useEffect(moveOn, [links])
}

function PlaceholderRows() {
  return (
    <>
      <p class="visually-hidden">Loading…</p>
      <div class="placeholder row" />
      <div class="placeholder row" />
      <div class="placeholder row" />
    </>
  )
}
