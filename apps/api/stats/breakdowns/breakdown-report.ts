/** The body of a breakdown report: the sums of its range, and of other ranges under names of their own. */
import type { Dimension } from '@hopcount/shared/breakdowns.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayMs, dayNumber } from '@hopcount/shared/days.ts'
import { countsOf, sumCounts } from '../counts.ts'
import type { BucketsBefore } from '../series/buckets-before.ts'
import { visitSeries } from '../series/series-queries.ts'
import type { Buckets } from '../series/series-range.ts'
import type { Comparison } from '../series/series-schema.ts'
import { sumDayCounts } from './breakdown-queries.ts'
import type { DayRange, Range } from './breakdown-range.ts'
import { daysBefore, isWholeDays, touchedDays } from './breakdown-range.ts'
import type { BreakdownValue } from './breakdown-schema.ts'
import { mostFrequentValues, uncertaintyOf, valueKey, withPreviousCounts } from './breakdown-values.ts'
import type { RangeBreakdowns, RangeSums } from './range-breakdowns.ts'

export interface BreakdownRequest {
  linkId: number
  buckets: Buckets
  compared: Compared | undefined
  dimensions: Dimension[]
  limit: number
}

/** How the range is compared, and with which buckets. */
export interface Compared {
  compare: Comparison
  before: BucketsBefore
  now: Date
}

type Values = Partial<Record<Dimension, BreakdownValue[]>>

export async function breakdownReport(
  database: Database,
  ranges: RangeBreakdowns,
  { linkId, buckets, compared, dimensions, limit }: BreakdownRequest,
) {
  const sums = await ranges.sum(database, linkId, buckets, { named: limit, keys: [] })
  const { from, to, because, counts, uniques, breakdowns } = sums
  const range = { from, to }
  const values = mostFrequentValues(breakdowns, dimensions, limit)
  return {
    ...range,
    ...counts,
    uniques,
    ...(because && { widened_because: because }),
    ...(compared && {
      previous: await countsBefore(database, linkId, sums, compared),
      full_days: await visitorsOfFullDays(database, linkId, range, compared),
    }),
    ...(!isWholeDays(range) && { utc_days: await visitorsOfDays(database, linkId, range, compared) }),
    breakdowns: compared ? await withPrevious(database, ranges, { linkId, sums, values }, compared) : values,
    ...uncertaintyOf(breakdowns, dimensions, limit),
  }
}

/** Of days, or of buckets as the series counts them. */
async function countsBefore(database: Database, linkId: number, sums: RangeSums, compared: Compared) {
  const { interval } = compared.before
  const range = rangeOf(compared.before)
  if (sums.because !== undefined) return countsOfDays(database, linkId, daysToCompare(sums, compared))
  if (isWholeDays(range)) return countsOfDays(database, linkId, range)
  const series = await visitSeries(database, linkId, { interval, starts: [range.from], end: range.to })
  return { ...range, ...sumCounts(series) }
}

/** While the range is in progress, its values are compared with those up to the same point. */
async function withPrevious(
  database: Database,
  ranges: RangeBreakdowns,
  { linkId, sums, values }: { linkId: number; sums: RangeSums; values: Values },
  compared: Compared,
): Promise<Values> {
  const { before, now } = compared
  const isWidened = sums.because !== undefined
  // The days compared with a day that is not over are whole.
  if (isWidened && now < sums.to) return values
  const { from, to } = isWidened ? daysToCompare(sums, compared) : rangeOf(before)
  const end = !isWidened && before.soFar !== undefined ? before.soFar : to
  if (end <= from) return withPreviousCounts(values, new Map())
  const keys = (Object.entries(values) as [Dimension, BreakdownValue[]][]).flatMap(([dimension, list]) =>
    list.map(value => valueKey(dimension, value)),
  )
  const part = { interval: before.interval, starts: [from], end }
  const { because, breakdowns } = await ranges.sum(database, linkId, part, { named: 0, keys })
  return because === undefined ? withPreviousCounts(values, breakdowns) : values
}

async function countsOfDays(database: Database, linkId: number, days: DayRange) {
  const sums = await sumDayCounts(database, linkId, days.from, days.to)
  return { ...days, ...countsOf(sums), uniques: sums.uniques }
}

async function visitorsOfDays(
  database: Database,
  linkId: number,
  range: Range,
  compared: Compared | undefined,
) {
  return {
    ...(await countsOfDays(database, linkId, touchedDays(range))),
    ...(compared && { previous: await countsOfDays(database, linkId, daysToCompare(range, compared)) }),
  }
}

/** Of a day that is not over, visitors are known only as a whole, so they are compared without it. Undefined: every day is over, or none. */
async function visitorsOfFullDays(database: Database, linkId: number, range: Range, compared: Compared) {
  const today = new Date(dayNumber(compared.now.getTime()) * dayMs)
  const { from, to } = touchedDays(range)
  if (today <= from || today >= to) return undefined
  const before = daysToCompare(range, compared).from
  const lengthMs = today.getTime() - from.getTime()
  const visitors = async (days: DayRange) => {
    const { uniques } = await sumDayCounts(database, linkId, days.from, days.to)
    return { ...days, uniques }
  }
  return {
    ...(await visitors({ from, to: today })),
    previous: await visitors({ from: before, to: new Date(before.getTime() + lengthMs) }),
  }
}

/** The UTC days beside those that a range touches. */
function daysToCompare(range: Range, { compare, before }: Compared): DayRange {
  return compare === 'previous' ? daysBefore(touchedDays(range)) : touchedDays(rangeOf(before))
}

function rangeOf({ starts, end }: Buckets): Range {
  return { from: starts[0] ?? end, to: end }
}
