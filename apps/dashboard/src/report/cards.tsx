import type { ComponentChildren } from 'preact'
import type { Counts, FilteredReport, Metric } from '../api/stats.ts'
import { leadMetric } from '../api/stats.ts'
import { useNavigation } from '../navigation.tsx'
import { Count } from '../page/count.tsx'
import { counted } from '../text/numbers.ts'
import { ago, dateAndTime, dayMs, dayName, daysBetween } from '../text/times.ts'
import { capitalized } from '../text/value-names.ts'
import { comparisonName } from './period/comparison.ts'
import { periodNames } from './period/period.ts'
import type { ReportData } from './report-data.ts'
import { Change } from './series/change.tsx'

/** Under load some visits are always pending; that is only worth mentioning when it takes longer than usual. */
const usualLagMs = 2_000

/** The key figures: of the period, with the change from the preceding one, of the last minutes, and of all time. */
export function Cards({ data }: { data: ReportData }) {
  return (
    <dl class="cards">
      <PeriodCard data={data} />
      <UniquesCard data={data} />
      <NowCard data={data} />
      <TotalCard data={data} />
      <LinksCard data={data} />
    </dl>
  )
}

function PeriodCard({ data }: { data: ReportData }) {
  const { metric, stats, filtered } = data
  if (stats.response === undefined) return null
  const { range, previous: whole } =
    filtered === undefined ? stats.response.data : withRange(filtered.response?.data)
  const previous = whole?.so_far ?? whole
  const { period } = stats.response.about.range
  return (
    <Card title={`Visits${period === 'custom' ? '' : `, ${periodNames[period].span}`}`}>
      {range === undefined ? (
        <span class="big muted">…</span>
      ) : (
        <>
          <span class="big number" data-testid="period">
            <Count value={range[metric]} />
          </span>
          {previous !== undefined && (
            <Change
              now={range[metric]}
              before={previous[metric]}
              than={comparisonName(stats.response.about.range)}
            />
          )}
          <Others counts={range} metric={metric} />
        </>
      )}
    </Card>
  )
}

/** As the statistics have it. */
function withRange(report: FilteredReport | undefined) {
  return { range: report, previous: report?.previous }
}

/**
 * Unique visitors are known per UTC day. If the range isn't made of whole UTC days, the figure is that of the days which it
 * touches: they are its heading, and the visits of the same days stand with it.
 */
function UniquesCard({ data }: { data: ReportData }) {
  if (data.filtered !== undefined)
    return (
      <Card title="Unique visitors">
        <span class="note">not available with filters: visitors are only counted per day</span>
      </Card>
    )
  const response = data.days.response?.data
  const days = response?.utc_days ?? response
  if (response === undefined || days?.uniques === undefined)
    return (
      <Card title="Unique visitors">
        <span class="big muted">…</span>
      </Card>
    )
  // Of a day that is not over, visitors are known only as a whole.
  const isRunning = Date.parse(days.to) > data.now
  const compared = isRunning ? response.full_days : days
  const before = compared?.previous?.uniques
  const than = comparisonName(data.days.response?.about.range ?? data.requested.range)
  const isSum = Date.parse(days.to) - Date.parse(days.from) > dayMs
  const ofVisits = response.utc_days && `of ${counted(days.humans, 'visit')} by humans on these days`
  const notes = [isSum ? 'per day, summed' : 'once per link and day', ofVisits]
  return (
    <Card
      title={`Unique visitors${response.utc_days ? `, ${daysBetween(days.from, days.to, 'UTC')} (UTC)` : ''}`}
    >
      <span class="big number" data-testid="uniques">
        <Count value={days.uniques} />
      </span>
      {compared !== undefined && before !== undefined && (
        <Change
          now={compared.uniques ?? 0}
          before={before}
          than={isRunning ? `${than}, by days that are over` : than}
        />
      )}
      <span class="note">{notes.filter(note => note !== undefined).join(', ')}</span>
    </Card>
  )
}

function NowCard({ data }: { data: ReportData }) {
  const { counts } = data.live
  const lastVisit = counts?.last_visit ?? data.stats.response?.data.last_visit ?? null
  return (
    <Card title="Last 5 min">
      <span class="big number" data-testid="now">
        {counts === undefined ? '…' : <Count value={counts.last_5_minutes} />}
      </span>
      <span class="note">
        {lastVisit === null ? (
          'visits by humans'
        ) : (
          <>
            last visit{' '}
            <time dateTime={lastVisit} title={dateAndTime(lastVisit, data.requested.zone, true)}>
              {ago(lastVisit, data.now)}
            </time>
          </>
        )}
      </span>
    </Card>
  )
}

/** While visits are pending, zero is not yet certain. */
function TotalCard({ data }: { data: ReportData }) {
  const { stats, live } = data
  const { everyone } = useNavigation().address
  if (stats.response === undefined) return null
  const { pending, lagMs } = stats
  const polled = stats.response.data
  const total = live.counts !== undefined && live.counts.visits > polled.visits ? live.counts : polled
  // As in the list of links, whatever came in the period.
  const metric = everyone ? 'visits' : everyone === undefined ? leadMetric(total) : 'humans'
  const isNone = total.visits === 0
  const isLate = isNone && pending > 0 && lagMs > usualLagMs
  return (
    <Card title="All time">
      {isLate ? (
        <span class="big counting">Counting…</span>
      ) : (
        <span key={total[metric]} class="big number risen" data-testid="visits">
          <Count value={total[metric]} />
        </span>
      )}
      {isNone && pending === 0 && <span class="note">no visits yet</span>}
      {isNone && pending > 0 && !isLate && <span class="note counting">still counting</span>}
      <Others counts={total} metric={metric} />
      {polled.first_visit !== null && (
        <span class="note">
          since {dayName(polled.first_visit, data.requested.zone)}
          {data.filtered !== undefined && ', without filters'}
        </span>
      )}
    </Card>
  )
}

function LinksCard({ data }: { data: ReportData }) {
  const stats = data.stats.response?.data
  if (stats === undefined || !('links' in stats)) return null
  return (
    <Card title="Links">
      <span class="big number" data-testid="links">
        <Count value={stats.links} />
      </span>
    </Card>
  )
}

/** The bot visits and previews that are included in the number above, or left out of it. */
function Others({ counts, metric }: { counts: Counts; metric: Metric }) {
  const { bots, previews } = counts
  if (bots + previews === 0) return null
  const parts = [bots > 0 && counted(bots, 'bot visit'), previews > 0 && counted(previews, 'preview')]
  return (
    <span class="note">
      {metric === 'humans' ? 'and ' : 'with '}
      {parts.filter(part => part !== false).join(', ')}
    </span>
  )
}

function Card(props: { title: string; children: ComponentChildren }) {
  return (
    <div class="card figure">
      <dt>{capitalized(props.title)}</dt>
      <dd>{props.children}</dd>
    </div>
  )
}
