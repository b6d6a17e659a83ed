import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayNumber, dayText } from '@hopcount/shared/days.ts'
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import type { Counts, StoredCounts } from '../counts.ts'
import { countsOf } from '../counts.ts'
import type { Buckets } from './series-range.ts'

export interface Bucket extends Counts {
  start: Date
  /** Undefined: not requested. */
  uniques?: number
}

/**
 * Visits per bucket, including empty ones. Buckets of an hour or more begin and end on quarter hours, so each is a sum
 * of quarter hours; minutes have a table of their own.
 */
export async function visitSeries(database: Database, linkId: number, buckets: Buckets): Promise<Bucket[]> {
  const [series = []] = await visitSeriesOf(database, linkId, [buckets])
  return series
}

/** Of several ranges, in the order of time, in one statement. */
export function visitSeriesOf(database: Database, linkId: number, ranges: Buckets[]): Promise<Bucket[][]> {
  return readBuckets(
    database,
    ranges,
    ranges.map(range => countedVisits(linkId, range)),
  )
}

/** Visits and unique visitors per bucket. Each bucket consists of whole UTC days. */
export async function visitorSeries(database: Database, linkId: number, buckets: Buckets): Promise<Bucket[]> {
  const [series = []] = await visitorSeriesOf(database, linkId, [buckets])
  return series
}

/** One statement, so that nobody is a visitor without a visit. */
export async function visitorSeriesOf(
  database: Database,
  linkId: number,
  ranges: Buckets[],
): Promise<Bucket[][]> {
  const series = await readBuckets(
    database,
    ranges,
    ranges.flatMap(range => [countedVisits(linkId, range), countedVisitors(linkId, range)]),
  )
  return series.map(buckets => buckets.map(bucket => ({ ...bucket, uniques: bucket.uniques ?? 0 })))
}

function countedVisits(linkId: number, { interval, starts, end }: Buckets): RawBuilder<unknown> {
  const [table, time] = interval === 'minute' ? ['link_minutes', 'minute'] : ['link_quarters', 'quarter']
  return sql`
    SELECT ${sql.ref(time)} AS time, visits, bots, previews, NULL::bigint AS uniques FROM ${sql.table(table)}
    WHERE link_id = ${linkId} AND ${sql.ref(time)} >= ${starts[0] ?? end}::timestamptz AND ${sql.ref(time)} < ${end}::timestamptz`
}

function countedVisitors(linkId: number, { starts, end }: Buckets): RawBuilder<unknown> {
  const day = (moment: Date) => sql`${dayText(dayNumber(moment.getTime()))}::date`
  return sql`
    SELECT day::timestamp AT TIME ZONE 'UTC', 0, 0, 0, uniques FROM link_days
    WHERE link_id = ${linkId} AND day >= ${day(starts[0] ?? end)} AND day < ${day(end)}`
}

/** Between two ranges nothing is counted. */
async function readBuckets(
  database: Database,
  ranges: Buckets[],
  counted: RawBuilder<unknown>[],
): Promise<Bucket[][]> {
  const cuts = ranges.flatMap(({ starts, end }) => [...starts, end].map(Number))
  const { rows } = await sql<StoredCounts & { bucket: number; uniques: number | null }>`
    WITH cuts AS (
      SELECT array_agg(to_timestamp(ms / 1000.0) ORDER BY ms) AS list FROM unnest(${cuts}::bigint[]) AS ms
    )
    SELECT width_bucket(counted.time, (SELECT list FROM cuts)) AS bucket, sum(visits)::bigint AS visits,
           sum(bots)::bigint AS bots, sum(previews)::bigint AS previews, sum(uniques)::bigint AS uniques
    FROM (${sql.join(counted, sql` UNION ALL `)}) AS counted
    GROUP BY 1`.execute(database)
  const counts = new Map(
    rows.map(({ bucket, uniques, ...counts }) => [
      bucket,
      { ...countsOf(counts), ...(uniques !== null && { uniques }) },
    ]),
  )
  let place = 0
  return ranges.map(({ starts }) => {
    const series = starts.map(start => ({
      start,
      ...(counts.get(++place) ?? { visits: 0, humans: 0, bots: 0, previews: 0 }),
    }))
    place++
    return series
  })
}
