/** A series and its sum, and on request those of the range that it is compared with. */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayMs } from '@hopcount/shared/days.ts'
import { sumCounts } from '../counts.ts'
import type { BucketsBefore } from './buckets-before.ts'
import type { Bucket } from './series-queries.ts'
import { visitorSeriesOf, visitSeriesOf } from './series-queries.ts'
import type { Buckets } from './series-range.ts'

/**
 * `range`, `series` and, given the buckets before, `previous`, all from one read of the table. Unique visitors are known
 * per UTC day, so they are included if every bucket consists of such days.
 */
export async function readSeries(
  database: Database,
  linkId: number,
  buckets: Buckets,
  before: BucketsBefore | undefined,
) {
  const withUniques = isOfWholeDays(buckets) && (before === undefined || isOfWholeDays(before))
  const read = withUniques ? visitorSeriesOf : visitSeriesOf
  if (before === undefined) {
    const [series = []] = await read(database, linkId, [buckets])
    return { range: sumOfRange(buckets, series), series }
  }
  const cut = cutAt(before, before.soFar)
  const [parts = [], series = []] = await read(database, linkId, [cut, buckets])
  return {
    range: sumOfRange(buckets, series),
    series,
    previous: previousOf(series, parts, cut),
  }
}

/** The range compared with, of which the cut buckets are counted. */
export function previousOf(series: Bucket[], parts: Bucket[], cut: BucketsBefore) {
  return {
    ...sumOfRange(cut, parts),
    series: setBeside(series, parts, cut),
    ...(cut.soFar && { so_far: sumUpTo(cut.soFar, parts) }),
  }
}

/** Cuts a bucket in two, so that the counts up to a moment within it are known. */
export function cutAt(before: BucketsBefore, moment: Date | undefined): BucketsBefore {
  const { starts, besides, end } = before
  const index = moment === undefined ? -1 : starts.findLastIndex(start => start < moment)
  if (moment === undefined || index < 0 || moment >= (starts[index + 1] ?? end)) return before
  return {
    ...before,
    starts: starts.toSpliced(index + 1, 0, moment),
    besides: besides.toSpliced(index + 1, 0, besides[index]),
  }
}

function sumUpTo(to: Date, parts: Bucket[]) {
  return { to, ...sumCounts(parts.filter(({ start }) => start < to)) }
}

/** One bucket for each of the series. One without a counterpart begins, and ends, where the next one begins. */
function setBeside(series: Bucket[], parts: Bucket[], { besides, end }: BucketsBefore): Bucket[] {
  const withUniques = series[0]?.uniques !== undefined
  const beside = Map.groupBy(parts, (_part, index) => besides[index])
  let next = end
  return series
    .keys()
    .toArray()
    .reverse()
    .map(index => {
      const own = beside.get(index) ?? []
      next = own[0]?.start ?? next
      return { start: next, ...sumCounts(own), ...(withUniques && { uniques: sumUniques(own) }) }
    })
    .reverse()
}

export function isOfWholeDays({ starts, end }: Buckets): boolean {
  return [...starts, end].every(start => start.getTime() % dayMs === 0)
}

export function sumOfRange({ starts, end }: Buckets, series: Omit<Bucket, 'start'>[]) {
  const isWithUniques = series[0]?.uniques !== undefined
  return {
    from: starts[0] ?? end,
    to: end,
    ...sumCounts(series),
    ...(isWithUniques && { uniques: sumUniques(series) }),
  }
}

function sumUniques(series: Omit<Bucket, 'start'>[]): number {
  return series.reduce((sum, { uniques = 0 }) => sum + uniques, 0)
}
