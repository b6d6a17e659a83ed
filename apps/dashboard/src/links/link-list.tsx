import { useEffect, useRef, useState } from 'preact/hooks'
import { useSession } from '../access/session.tsx'
import type { Address } from '../address.ts'
import { writeAddress } from '../address.ts'
import { newestLinksUrl } from '../api/links.ts'
import type { Polled } from '../api/poll.ts'
import { usePolled } from '../api/poll.ts'
import { linksUrl } from '../api/stats.ts'
import { PageLink, useNavigation } from '../navigation.tsx'
import { Freshness, LagBanner, ProblemBanner } from '../page/freshness.tsx'
import { useNow } from '../text/now.ts'
import { EmptyList } from './empty-list.tsx'
import { useLatestLink } from './latest-link.tsx'
import type { RowLink } from './link-row.tsx'
import { LinkRow } from './link-row.tsx'
import { ListChips, ListControls, shownSort } from './list-controls.tsx'
import { useSteadyRows } from './steady-rows.ts'

/** Where every link is, the newest first. */
const newestList = {
  sort: 'newest',
  window: 'all',
  search: undefined,
  status: undefined,
  tags: [],
  after: undefined,
} as const

/** A list of links. The newest are every link; the other sorts are by visits. */
export function LinkList() {
  const { allows } = useSession()
  const navigation = useNavigation()
  const address = { ...navigation.address, sort: shownSort(navigation.address.sort, allows) }
  const isNewest = address.sort === 'newest'
  const url = isNewest ? newestLinksUrl(address) : linksUrl(address)
  const polled = usePolled<RowLink[], Address>({ url, about: address })
  const { isCurrent, next, problem } = polled
  const after = next?.get('after') ?? undefined
  const links = polled.response?.data
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
        <LatestElsewhere polled={polled} />
        <div aria-busy={!isCurrent && problem === undefined}>
          {polled.response === undefined && problem === undefined && <PlaceholderRows />}
          {polled.response !== undefined && <Rows polled={polled} {...polled.response} />}
        </div>
        {(!isNewest || address.after !== undefined || after !== undefined) && (
          <div class="card-foot">
            {isNewest ? <span /> : <Freshness pending={polled.pending} />}
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

/** @param about what the list was of: until another one has come, its rows stay as they are */
function Rows(props: { polled: Polled<unknown, unknown>; data: RowLink[]; about: Address }) {
  const { polled, data, about } = props
  const now = useNow()
  const { rows, isBehind, list } = useSteadyRows(data, writeAddress(about))
  if (rows.length === 0)
    return <EmptyList pending={polled.pending} address={about} isLast={!polled.next?.has('after')} />
  return (
    <div class="steady">
      {isBehind && <p class="behind">The list has changed. Move the pointer away to see it.</p>}
      <ol {...list} class="link-rows">
        {rows.map(link => (
          <LinkRow
            key={link.slug}
            link={link}
            sort={about.sort}
            search={about.search}
            pending={polled.pending}
            now={now}
          />
        ))}
      </ol>
    </div>
  )
}

/** By then, a list has been read again after a link was created. */
const readAgainMs = 1_000

/** Says that the list does not show the link that was just created, and leads to one that does. */
function LatestElsewhere({ polled }: { polled: Polled<RowLink[], Address> }) {
  const { latest } = useLatestLink()
  const [sought, setSought] = useState<string>()
  const seen = useRef<string>(undefined)
  useEffect(() => {
    const timer = setTimeout(() => setSought(latest?.slug), readAgainMs)
    return () => clearTimeout(timer)
  }, [latest])
  const slug = latest?.slug
  // Once seen, it is only missing because it was changed or deleted.
  if (polled.response?.data.some(link => link.slug === slug)) seen.current = slug
  const isElsewhere =
    slug === sought && slug !== seen.current && latest?.list === location.search && polled.isCurrent
  return (
    <div role="status">
      {isElsewhere && (
        <p class="banner hint">
          <span>
            Your new link <bdi>/{slug}</bdi> is not in this list.
          </span>
          <PageLink to={newestList} class="button">
            Show the newest links
          </PageLink>
        </p>
      )}
    </div>
  )
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
