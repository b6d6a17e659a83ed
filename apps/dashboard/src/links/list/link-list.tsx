import { useSession } from '../../access/session.tsx'
import type { Address } from '../../address.ts'
import { writeAddress } from '../../address.ts'
import { exportLinksUrl, linksUrl } from '../../api/links.ts'
import { useStream } from '../../api/live.ts'
import type { Polled } from '../../api/poll.ts'
import { usePolled } from '../../api/poll.ts'
import { visitedLinksUrl } from '../../api/stats.ts'
import { useNavigation } from '../../navigation.tsx'
import { useAnnouncement } from '../../page/announcer.tsx'
import { RefusalBanner, Status } from '../../page/freshness.tsx'
import { useNow } from '../../text/now.ts'
import { number } from '../../text/numbers.ts'
import { EmptyList, isNarrowed } from './empty-list.tsx'
import { LatestElsewhere } from './latest-elsewhere.tsx'
import type { RowLink } from './link-row.tsx'
import { LinkRow } from './link-row.tsx'
import { ListChips, ListControls, shownSort } from './list-controls.tsx'
import { ListPages, resultInWords } from './list-pages.tsx'
import { useSteadyRows } from './steady-rows.ts'

export function LinkList() {
  const { allows } = useSession()
  const navigation = useNavigation()
  const address = { ...navigation.address, sort: shownSort(navigation.address.sort, allows) }
  const url = allows('links:read') ? linksUrl(address) : visitedLinksUrl(address)
  // Links are created without it.
  const { news } = useStream(undefined, allows('stats:read'))
  const polled = usePolled<RowLink[], Address>(
    { url, about: address },
    { lead: true, news, newsEveryMs: 2_000 },
  )
  const { isCurrent, problem, total } = polled
  const links = polled.response?.data
  useAnnouncement(url, isCurrent && total ? resultInWords(total, address.page) : undefined)
  // A search may have looked at some links only, and found none.
  const isKnown = total !== undefined && (total.isExact || total.count > 0)
  const isBlank = isCurrent && total?.count === 0 && !isNarrowed(address)
  return (
    <>
      <RefusalBanner problem={problem} />
      <section class="card" aria-labelledby="links">
        <div class="card-head">
          <h2 id="links" tabIndex={-1}>
            {isBlank ? 'No links yet' : 'Links '}
            {isKnown && !isBlank && (
              <span class="muted number">
                ({number(total.count)}
                {!total.isExact && <abbr title="or more">+</abbr>})
              </span>
            )}
          </h2>
          <Status />
          {!isBlank && <ListControls listedTags={(links ?? []).flatMap(({ tags = [] }) => tags).join()} />}
        </div>
        <ListChips />
        <LatestElsewhere polled={polled} />
        <div aria-busy={!isCurrent && problem === undefined}>
          {polled.response === undefined && problem === undefined && <PlaceholderRows />}
          {polled.response !== undefined && <Rows polled={polled} {...polled.response} />}
        </div>
        {!isBlank && (
          <div class="card-foot">
            {allows('links:read') && links?.length !== 0 ? (
              <a class="button" href={exportLinksUrl(address)} download>
                Export for Excel
              </a>
            ) : (
              <span />
            )}
            <ListPages polled={polled} address={address} />
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
