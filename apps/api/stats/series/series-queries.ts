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
  const { starts, end } = buckets
  return readBuckets(database, buckets, countedVisits(linkId, buckets, starts[0] ?? end, end))
}

/** Visits and unique visitors per bucket. Each bucket consists of whole UTC days. */
export async function visitorSeries(database: Database, linkId: number, buckets: Buckets): Promise<Bucket[]> {
  const { starts, end } = buckets
  const first = starts[0] ?? end
  // One statement, so that nobody is a visitor without a visit.
  const series = await readBuckets(
    database,
    buckets,
    sql`${countedVisits(linkId, buckets, first, end)}
      UNION ALL
      SELECT day::timestamp AT TIME ZONE 'UTC', 0, 0, 0, uniques FROM link_days
      WHERE link_id = ${linkId} AND day >= ${dayText(dayNumber(first.getTime()))}::date AND day < ${dayText(dayNumber(end.getTime()))}::date`,
  )
  return series.map(bucket => ({ ...bucket, uniques: bucket.uniques ?? 0 }))
}

function countedVisits(linkId: number, { interval }: Buckets, from: Date, to: Date): RawBuilder<unknown> {
  const [table, time] = interval === 'minute' ? ['link_minutes', 'minute'] : ['link_quarters', 'quarter']
  return sql`
    SELECT ${sql.ref(time)} AS time, visits, bots, previews, NULL::bigint AS uniques FROM ${sql.table(table)}
    WHERE link_id = ${linkId} AND ${sql.ref(time)} >= ${from}::timestamptz AND ${sql.ref(time)} < ${to}::timestamptz`
}

async function readBuckets(
  database: Database,
  { starts }: Buckets,
  counted: RawBuilder<unknown>,
): Promise<Bucket[]> {
  const { rows } = await sql<StoredCounts & { bucket: number; uniques: number | null }>`
    WITH starts AS (
      SELECT array_agg(to_timestamp(ms / 1000.0) ORDER BY ms) AS list FROM unnest(${starts.map(Number)}::bigint[]) AS ms
    )
    SELECT width_bucket(counted.time, (SELECT list FROM starts)) AS bucket, sum(visits)::bigint AS visits,
           sum(bots)::bigint AS bots, sum(previews)::bigint AS previews, sum(uniques)::bigint AS uniques
    FROM (${counted}) AS counted
    GROUP BY 1`.execute(database)
  const counts = new Map(
    rows.map(({ bucket, uniques, ...counts }) => [
      bucket,
      { ...countsOf(counts), ...(uniques !== null && { uniques }) },
    ]),
  )
  return starts.map((start, i) => ({
    start,
    ...(counts.get(i + 1) ?? { visits: 0, humans: 0, bots: 0, previews: 0 }),
  }))
}
