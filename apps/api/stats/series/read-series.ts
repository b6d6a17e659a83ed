/** A series and its sum, and on request the one before it. */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayMs } from '@hopcount/shared/days.ts'
import { sumCounts } from '../counts.ts'
import type { Bucket } from './series-queries.ts'
import { visitorSeries, visitSeries } from './series-queries.ts'
import type { Buckets, BucketsBefore } from './series-range.ts'

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
  const read = withUniques ? visitorSeries : visitSeries
  if (before === undefined) {
    const series = await read(database, linkId, buckets)
    return { range: sumOfRange(buckets, series), series }
  }
  const { starts, soFar } = before
  // The last bucket before is read in two parts, to know its count at this point in time.
  const isCut = soFar !== undefined && soFar > (starts.at(-1) ?? soFar) && soFar < before.end
  const cuts = isCut ? [...starts, soFar] : starts
  const all = await read(database, linkId, { ...buckets, starts: [...cuts, ...buckets.starts] })
  const series = all.slice(cuts.length)
  const cut = all.slice(0, cuts.length)
  const previous = isCut ? [...cut.slice(0, -2), { ...cut.at(-2), ...sumCounts(cut.slice(-2)) }] : cut
  return {
    range: sumOfRange(buckets, series),
    series,
    previous: {
      ...sumOfRange(before, previous),
      series: previous,
      ...(soFar && { so_far: { to: soFar, ...sumCounts(cut.filter(({ start }) => start < soFar)) } }),
    },
  }
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
    ...(isWithUniques && { uniques: series.reduce((sum, { uniques = 0 }) => sum + uniques, 0) }),
  }
}
