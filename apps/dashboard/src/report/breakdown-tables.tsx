import { dimensions } from '../address.ts'
import { useNavigation } from '../navigation.tsx'
import { daysBetween } from '../text/times.ts'
import { BreakdownTable } from './breakdown-table.tsx'
import type { ReportData } from './report-data.ts'

/** Of whole UTC days, which is how they are kept; with filters of exactly the range, counted from raw visits. */
export function BreakdownTables({ data }: { data: ReportData }) {
  const { address } = useNavigation()
  const polled = data.filtered ?? data.days
  const { answer } = polled
  if (answer === undefined) return null
  const range = data.stats.answer?.data.range
  const { from, to, breakdowns } = answer.data
  const isOther = data.filtered === undefined && (range?.from !== from || range.to !== to)
  const shown =
    address.more === undefined ? dimensions : [address.more, ...dimensions.filter(d => d !== address.more)]
  return (
    <div aria-busy={!polled.isCurrent}>
      <div class="breakdowns">
        {shown.map(dimension => (
          <BreakdownTable
            key={dimension}
            dimension={dimension}
            values={breakdowns[dimension] ?? []}
            metric={data.metric}
          />
        ))}
      </div>
      {isOther && (
        <p class="muted footnote">
          These tables and unique visitors are kept per whole UTC day: they cover{' '}
          {daysBetween(from, to, 'UTC')} (UTC), which is not exactly the period of the chart.
        </p>
      )}
    </div>
  )
}
