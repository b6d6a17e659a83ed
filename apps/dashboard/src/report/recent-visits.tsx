import { filterNames } from '../address.ts'
import { usePolled } from '../api/poll.ts'
import type { Visit } from '../api/stats.ts'
import { reportPath } from '../api/stats.ts'
import { PageLink, useNavigation } from '../navigation.tsx'
import { FoldHeading, useFold } from '../page/controls/fold.tsx'
import { ForeignLink } from '../page/foreign-link.tsx'
import { ago, dateAndTime } from '../text/times.ts'
import { countryName, languageName } from '../text/value-names.ts'
import type { ReportData } from './report-data.ts'

const visitsPerPage = 20

/** Single visits of the report’s range that match the filters, newest first, by everyone. */
export function RecentVisits({ slug, data }: { slug: string | undefined; data: ReportData }) {
  const { address } = useNavigation()
  const range = data.stats.response?.data.range
  const isOver = data.stats.response?.about.range.to !== undefined
  const query = new URLSearchParams({ limit: String(visitsPerPage) })
  if (range !== undefined) query.set('from', range.from)
  if (range !== undefined && isOver) query.set('to', range.to)
  if (address.before !== undefined) query.set('before', address.before)
  for (const name of filterNames) {
    const value = address.filters[name]
    if (value !== undefined) query.set(name, value)
  }
  const isFiltered = Object.keys(address.filters).length > 0
  const { response, isCurrent, next, problem } = usePolled<Visit[]>(
    { url: `${reportPath(slug)}/visits?${query}`, about: undefined },
    // With filters, many visits may be searched for a few.
    { news: data.news, ...(isFiltered && { newsEveryMs: 10_000, waitMs: 15_000 }) },
  )
  const older = next?.get('before') ?? undefined
  const visits = response?.data
  const isFirstPage = address.before === undefined
  const hasVisits = !isFirstPage || (range?.visits ?? 0) > 0
  const fold = useFold('visits', !isFirstPage)
  return (
    <section class={`card ${fold.class}`} aria-labelledby="recent">
      <div class="card-head">
        <FoldHeading id="recent" fold={fold}>
          {!isFirstPage ? 'Older visits' : isOver ? 'Latest visits of the period' : 'Recent visits'}
        </FoldHeading>
      </div>
      <div aria-busy={!isCurrent && problem === undefined}>
        {visits?.length === 0 && older === undefined && (
          <p class="muted">{isFiltered ? filteredEmpty : hasVisits ? pastEmpty : empty}</p>
        )}
        {visits !== undefined && visits.length > 0 && (
          <VisitTable visits={visits} zone={data.requested.zone} now={data.now} />
        )}
      </div>
      {visits !== undefined && visits.length < visitsPerPage && older !== undefined && (
        <p class="muted footnote">
          Searched back to {dateAndTime(timeOf(older), data.requested.zone, true)}: there may be more before
          that.
        </p>
      )}
      {(!isFirstPage || older !== undefined) && (
        <nav class="card-foot actions" aria-label="Pages of the visits">
          {!isFirstPage && (
            <PageLink to={{ before: undefined }} class="button">
              Newest
            </PageLink>
          )}
          {isCurrent && older !== undefined && (
            <PageLink to={{ before: older }} class="button">
              Older
            </PageLink>
          )}
        </nav>
      )}
    </section>
  )
}

const empty = 'Each visit of the period is listed here, the newest first.'
const pastEmpty = 'No older visits of the period are kept.'
const filteredEmpty = 'No visit matches the filters.'

/** Where a page of visits begins. */
function timeOf(before: string): string {
  return new Date(Number(before.split('.')[0])).toISOString()
}

/** Referrer and user agent come from the client and may be any text. */
function VisitTable({ visits, zone, now }: { visits: Visit[]; zone: string; now: number }) {
  const ofAllLinks = visits[0]?.slug !== undefined
  return (
    <table class={ofAllLinks ? 'recent of-all' : 'recent'} aria-labelledby="recent">
      <thead>
        <tr>
          <th scope="col">When</th>
          {ofAllLinks && <th scope="col">Link</th>}
          <th scope="col">Referrer</th>
          <th scope="col">Visitor</th>
        </tr>
      </thead>
      <tbody>
        {visits.map((visit, i) => (
          <tr
            key={`${visit.visited_at} ${i - visits.findIndex(each => each.visited_at === visit.visited_at)}`}
          >
            <td class="when">
              <time dateTime={visit.visited_at}>
                {dateAndTime(visit.visited_at, zone, true)}{' '}
                <span class="muted">{ago(visit.visited_at, now)}</span>
              </time>
            </td>
            {visit.slug !== undefined && (
              <td>
                <PageLink to={{ link: visit.slug }}>/{visit.slug}</PageLink>
              </td>
            )}
            <td class="referrer">
              {visit.referrer === null ? (
                <span class="muted">direct</span>
              ) : (
                <ForeignLink url={visit.referrer} />
              )}
            </td>
            <td class="visitor">
              <Visitor visit={visit} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Visitor({ visit }: { visit: Visit }) {
  const { country, language, user_agent: userAgent } = visit
  return (
    <>
      {(visit.class !== 'human' || country !== null || language !== null) && (
        <span class="traits">
          {visit.class !== 'human' && (
            <span class="tag">{visit.class === 'bot' ? 'bot' : 'link preview'}</span>
          )}
          {country !== null && <span>{countryName(country)}</span>}
          {language !== null && <span class="muted">{languageName(language)}</span>}
        </span>
      )}
      {userAgent === null ? (
        <span class="muted">no user agent</span>
      ) : (
        <details class="agent">
          <summary title={userAgent}>{agentName(visit)}</summary>
          <bdi class="user-agent">{userAgent}</bdi>
        </details>
      )}
    </>
  )
}

/** “Firefox 148 on Android 15”; of a bot its name. */
function agentName(visit: Visit): string {
  if (visit.bot !== '') return visit.bot
  const [browser, system] = [
    [visit.browser, visit.browser_version],
    [visit.os, visit.os_version],
  ].map(named => named.filter(part => part !== null && part !== '').join(' '))
  if (system === '' || system === 'Other') return browser === 'Other' ? 'Another browser' : `${browser}`
  return `${browser === 'Other' ? 'Another browser' : browser} on ${system}`
}
