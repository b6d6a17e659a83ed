import { usePolled } from '../api/poll.ts'
import type { ListedLink } from '../api/stats.ts'
import { topLinksUrl } from '../api/stats.ts'
import { StateMark } from '../manage/link-state.tsx'
import { PageLink } from '../navigation.tsx'
import { FoldHeading, useFold } from '../page/controls/fold.tsx'
import { Count } from '../page/count.tsx'
import { dayMs } from '../text/times.ts'
import type { ReportData } from './report-data.ts'

const quarterMs = 15 * 60_000
/** As many as the API accepts: the time that a list takes grows with days and links. */
const mostDays = 367

/** The most visited links of the period, by the visits that match the filters. */
export function TopLinks({ data }: { data: ReportData }) {
  const { metric } = data
  // Of the chart's range, to the moment.
  const range = data.stats.response?.data.range
  const isOfAllTime = data.stats.response?.about.range.period === 'all'
  const isTooLong =
    !isOfAllTime && range !== undefined && Date.parse(range.to) - Date.parse(range.from) > mostDays * dayMs
  const polled = usePolled<ListedLink[]>(
    data.filtered === undefined && range !== undefined && !isTooLong
      ? { url: topLinksUrl(isOfAllTime ? 'all' : range, metric), about: undefined }
      : undefined,
    { news: data.news },
  )
  const fold = useFold('links', true)
  const filtered = data.filtered?.response?.data.top_links
  if (filtered === null)
    return <p class="card muted">Top links can’t be ranked by these visits: there are too many.</p>
  if (isTooLong && filtered === undefined)
    return <p class="muted footnote">Top links are listed for a year at most, or for all time.</p>
  const listed = data.filtered === undefined ? polled.response?.data : filtered
  const links = listed?.filter(link => link[metric] > 0) ?? []
  if (links.length === 0) return null
  const most = Math.max(...links.map(link => link[metric]))
  return (
    <section
      class={`card breakdown links ${fold.class}`}
      aria-labelledby="top-links"
      aria-busy={!(data.filtered ?? polled).isCurrent}
    >
      <table aria-labelledby="top-links">
        <thead>
          <tr>
            <th scope="col">
              <FoldHeading id="top-links" fold={fold}>
                Top links
              </FoldHeading>
            </th>
            <th scope="col" class="number">
              Visits
            </th>
            <th scope="col" class="number">
              {metric === 'humans' ? 'With bots' : 'By humans'}
            </th>
          </tr>
        </thead>
        <tbody>
          {links.map(link => (
            <tr key={link.slug}>
              <th scope="row">
                <span class="bar" aria-hidden="true" style={{ width: `${(100 * link[metric]) / most}%` }} />
                <PageLink to={{ link: link.slug }} class="value">
                  <bdi title={link.long_url}>/{link.slug}</bdi>
                </PageLink>
                <StateMark state={link.state} />
              </th>
              <td class="number">
                <Count value={link[metric]} />
              </td>
              <td class="number muted">
                <Count value={link[metric === 'humans' ? 'visits' : 'humans']} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {data.filtered === undefined &&
        !isOfAllTime &&
        range !== undefined &&
        Date.parse(range.from) % quarterMs > 0 && (
          <p class="muted footnote">Counted in whole quarter hours, which begin before the chart does.</p>
        )}
    </section>
  )
}
