import type { FilterName } from '../address.ts'
import { botDimensions, dimensions, filterNames } from '../address.ts'
import type { BreakdownReport, BreakdownValue, Counts } from '../api/stats.ts'
import { useNavigation } from '../navigation.tsx'
import { daysBetween } from '../text/times.ts'
import { BreakdownTable } from './breakdown-table.tsx'
import type { ReportData } from './report-data.ts'

/** Breakdowns are kept per UTC day; with filters they are counted from raw visits, for exactly the range. */
export function BreakdownTables({ data }: { data: ReportData }) {
  const { address } = useNavigation()
  const polled = data.filtered ?? data.days
  const { answer } = polled
  if (answer === undefined) return null
  const range = data.stats.answer?.data.range
  const { from, to, breakdowns } = answer.data
  const isOther = data.filtered === undefined && (range?.from !== from || range.to !== to)
  // If only humans are shown, a breakdown by class is pointless.
  const names = data.metric === 'humans' ? dimensions : filterNames
  const shown = [...names].sort((a, b) => Number(b === address.more) - Number(a === address.more))
  const counts = data.filtered?.answer?.data ?? range
  return (
    <div aria-busy={!polled.isCurrent}>
      <div class="breakdowns">
        {shown.map(dimension => (
          <BreakdownTable
            key={dimension}
            dimension={dimension}
            values={valuesOf(dimension, breakdowns, counts)}
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

function valuesOf(
  name: FilterName,
  breakdowns: BreakdownReport['breakdowns'],
  counts: Counts | undefined,
): BreakdownValue[] {
  if (name === 'class') return classValues(counts)
  const values = breakdowns[name] ?? []
  // An empty value means that the visit is not a bot's, so it does not belong in a table of bots.
  return botDimensions.some(dimension => dimension === name)
    ? values.filter(({ value }) => value !== '')
    : values
}

/** The class is part of every count, so this breakdown covers exactly the range. */
function classValues(counts: Counts | undefined): BreakdownValue[] {
  if (counts === undefined) return []
  const { humans, bots, previews } = counts
  return [
    { value: 'human', visits: humans, humans },
    { value: 'bot', visits: bots, humans: 0 },
    { value: 'preview', visits: previews, humans: 0 },
  ]
}
