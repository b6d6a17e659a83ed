import type { ComponentChildren } from 'preact'
import type { Period } from '../address.ts'
import type { LinkStats } from '../api/stats.ts'
import { number } from '../text/numbers.ts'
import { ago, dateAndTime } from '../text/times.ts'
import { sum } from './describe-series.ts'
import { periodNames } from './period.ts'

/** Under load some visits are always on their way: that is only worth a doubt when it takes longer than usual. */
const usualLagMs = 2_000

/** `pending`: visits that are in no statistics yet. With some, no visits is not yet a fact. */
export function Totals(props: {
  stats: LinkStats
  period: Period
  zone: string
  now: number
  pending: number
  lagMs: number
}) {
  const { stats, period, zone, now, pending, lagMs } = props
  const isLate = stats.visits === 0 && pending > 0 && lagMs > usualLagMs
  return (
    <dl class="totals">
      <Card title="Total visits">
        {isLate ? (
          <span class="big counting">Counting…</span>
        ) : (
          <span key={stats.visits} class="big number risen" data-testid="visits">
            {number(stats.visits)}
          </span>
        )}
        {stats.visits === 0 && pending === 0 && <span class="muted">no visits yet</span>}
        {stats.visits === 0 && pending > 0 && !isLate && <span class="counting">still counting</span>}
      </Card>
      <Card title={capitalized(periodNames[period].span)}>
        <span class="big number">{number(sum(stats.series))}</span>
      </Card>
      <Card title="First visit">
        <Moment moment={stats.first_visit} zone={zone} now={now} />
      </Card>
      <Card title="Last visit">
        <Moment moment={stats.last_visit} zone={zone} now={now} />
      </Card>
    </dl>
  )
}

function Card({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="card total">
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Moment({ moment, zone, now }: { moment: string | null; zone: string; now: number }) {
  if (moment === null) return <span class="moment muted">none so far</span>
  return (
    <time dateTime={moment} class="moment">
      {ago(moment, now)}
      <span class="muted">{dateAndTime(moment, zone)}</span>
    </time>
  )
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
