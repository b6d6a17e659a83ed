/** The body of a breakdown report: the sums of its range, and of other ranges under names of their own. */
import type { Dimension } from '@hopcount/shared/breakdowns.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { countsOf, sumCounts } from '../counts.ts'
import type { BucketsBefore } from '../series/buckets-before.ts'
import { visitSeries } from '../series/series-queries.ts'
import type { Buckets } from '../series/series-range.ts'
import { sumDayCounts } from './breakdown-queries.ts'
import type { DayRange } from './breakdown-range.ts'
import { daysBefore, isWholeDays, touchedDays } from './breakdown-range.ts'
import { mostFrequentValues, uncertaintyOf } from './breakdown-values.ts'
import type { RangeBreakdowns } from './range-breakdowns.ts'

export interface BreakdownRequest {
  linkId: number
  buckets: Buckets
  /** Undefined: no comparison. */
  before: BucketsBefore | undefined
  dimensions: Dimension[]
  limit: number
}

export async function breakdownReport(
  database: Database,
  ranges: RangeBreakdowns,
  { linkId, buckets, before, dimensions, limit }: BreakdownRequest,
) {
  const { from, to, because, counts, uniques, breakdowns } = await ranges.sum(
    database,
    linkId,
    buckets,
    limit,
  )
  const range = { from, to }
  const previous =
    before && (await countsBefore(database, linkId, because === undefined ? before : daysBefore(range)))
  return {
    ...range,
    ...counts,
    uniques,
    ...(because && { widened_because: because }),
    previous,
    ...(!isWholeDays(range) && {
      utc_days: await visitorsOfDays(database, linkId, touchedDays(range), before !== undefined),
    }),
    breakdowns: mostFrequentValues(breakdowns, dimensions, limit),
    ...uncertaintyOf(breakdowns, dimensions, limit),
  }
}

/** Of days, or of buckets as the series counts them. */
async function countsBefore(database: Database, linkId: number, period: Buckets | DayRange) {
  if (!('starts' in period)) return countsOfDays(database, linkId, period)
  const { interval, starts, end } = period
  const range = { from: starts[0] ?? end, to: end }
  if (isWholeDays(range)) return countsOfDays(database, linkId, range)
  const series = await visitSeries(database, linkId, { interval, starts: [range.from], end })
  return { ...range, ...sumCounts(series) }
}

async function countsOfDays(database: Database, linkId: number, days: DayRange) {
  const sums = await sumDayCounts(database, linkId, days.from, days.to)
  return { ...days, ...countsOf(sums), uniques: sums.uniques }
}

async function visitorsOfDays(database: Database, linkId: number, days: DayRange, compare: boolean) {
  return {
    ...(await countsOfDays(database, linkId, days)),
    ...(compare && { previous: await countsOfDays(database, linkId, daysBefore(days)) }),
  }
}
