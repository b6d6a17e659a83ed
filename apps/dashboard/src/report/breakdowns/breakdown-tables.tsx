import type { FilterName } from '../../address.ts'
import { botDimensions, dimensions, filterNames } from '../../address.ts'
import type { BreakdownReport, BreakdownValue, Counts } from '../../api/stats.ts'
import { useNavigation } from '../../navigation.tsx'
import { comparisonName } from '../period/comparison.ts'
import type { ReportData } from '../report-data.ts'
import { BreakdownTable } from './breakdown-table.tsx'

/** Of the same range as the chart. */
export function BreakdownTables({ data }: { data: ReportData }) {
  const { address } = useNavigation()
  const polled = data.filtered ?? data.days
  const { response } = polled
  if (response === undefined) return null
  const range = data.stats.response?.data.range
  const { breakdowns } = response.data
  const uncertain = data.filtered === undefined ? data.days.response?.data.uncertain : undefined
  // If only humans are shown, a breakdown by class is pointless.
  const names = data.metric === 'humans' ? dimensions : filterNames
  const shown = [...names].sort((a, b) => Number(b === address.more) - Number(a === address.more))
  const counts = data.filtered?.response?.data ?? range
  return (
    <div aria-busy={!polled.isCurrent}>
      <div class="breakdowns">
        {shown.map(dimension => (
          <BreakdownTable
            key={dimension}
            dimension={dimension}
            values={valuesOf(dimension, breakdowns, counts)}
            metric={data.metric}
            than={comparisonName(response.about.range)}
            uncertain={dimension === 'referrer' ? uncertain?.referrer : undefined}
          />
        ))}
      </div>
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
