import { useEffect, useRef, useState } from 'preact/hooks'
import { useSession } from '../access/session.tsx'
import type { Address } from '../address.ts'
import { firstPage, writeAddress } from '../address.ts'
import { newestLinksUrl } from '../api/links.ts'
import type { Polled } from '../api/poll.ts'
import { usePolled } from '../api/poll.ts'
import { linksUrl } from '../api/stats.ts'
import { PageLink, useNavigation } from '../navigation.tsx'
import { Freshness, LagBanner, ProblemBanner } from '../page/freshness.tsx'
import { useNow } from '../text/now.ts'
import { number } from '../text/numbers.ts'
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
  ...firstPage,
} as const

/** A list of links. The newest are every link; the other sorts are by visits. */
export function LinkList() {
  const { allows } = useSession()
  const navigation = useNavigation()
  const address = { ...navigation.address, sort: shownSort(navigation.address.sort, allows) }
  const isNewest = address.sort === 'newest'
  const url = isNewest ? newestLinksUrl(address) : linksUrl(address)
  const polled = usePolled<RowLink[], Address>({ url, about: address })
  const { isCurrent, problem, total } = polled
  const links = polled.response?.data
  return (
    <>
      <ProblemBanner problem={problem} />
      <LagBanner lagMs={polled.lagMs} />
      <section class="card" aria-labelledby="links">
        <div class="card-head">
          <h2 id="links" tabIndex={-1}>
            Links{' '}
            {total !== undefined && (
              <span class="muted number">
                ({number(total.count)}
                {!total.isExact && <abbr title="or more">+</abbr>})
              </span>
            )}
          </h2>
          <ListControls listedTags={(links ?? []).flatMap(({ tags = [] }) => tags).join()} />
        </div>
        <ListChips />
        <LatestElsewhere polled={polled} />
        <div aria-busy={!isCurrent && problem === undefined}>
          {polled.response === undefined && problem === undefined && <PlaceholderRows />}
          {polled.response !== undefined && <Rows polled={polled} {...polled.response} />}
        </div>
        <div class="card-foot">
          {allows('stats:read') ? <Freshness pending={polled.pending} /> : <span />}
          <Pages polled={polled} address={address} />
        </div>
      </section>
    </>
  )
}

/** Ways to the pages before and after this one. */
function Pages({ polled, address }: { polled: Polled<unknown, unknown>; address: Address }) {
  const { go } = useNavigation()
  const { isCurrent, prev, next } = polled
  const { page } = address
  const isFirst = address.after === undefined && address.until === undefined
  const [until, after] = [prev?.get('before'), next?.get('after')].map(place => place ?? undefined)
  // By going back, the top is reached at a page that ends somewhere; links that are created are not on it.
  const isTop = isCurrent && address.until !== undefined && prev === undefined
  useEffect(() => {
    if (isTop) go(firstPage, { replace: true })
  }, [isTop])
  return (
    <nav class="actions pages" aria-label="Pages of the list">
      {!isFirst && page > 1 && <span class="muted">Page {number(page)}</span>}
      {isCurrent && until !== undefined && (
        <PageLink to={{ after: undefined, until, page: Math.max(1, page - 1) }} class="button">
          Previous
        </PageLink>
      )}
      {!isFirst && prev === undefined && (
        <PageLink to={firstPage} class="button">
          First page
        </PageLink>
      )}
      {isCurrent && after !== undefined && (
        <PageLink to={{ after, until: undefined, page: page + 1 }} class="button">
          Next
        </PageLink>
      )}
    </nav>
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
