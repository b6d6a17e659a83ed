import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { sql } from 'kysely'
import type { Counts, StoredCounts } from '../counts.ts'
import { countsOf } from '../counts.ts'
import type { Buckets } from './series-range.ts'

export interface Bucket extends Counts {
  start: Date
}

/**
 * Visits per bucket, including empty ones. Buckets of an hour or more begin and end on quarter hours, so each is a sum
 * of quarter hours; minutes have a table of their own.
 */
export async function visitSeries(database: Database, linkId: number, buckets: Buckets): Promise<Bucket[]> {
  const { interval, starts, end } = buckets
  const [table, time] = interval === 'minute' ? ['link_minutes', 'minute'] : ['link_quarters', 'quarter']
  const first = starts[0] ?? end
  const { rows } = await sql<StoredCounts & { bucket: number }>`
    WITH starts AS (
      SELECT array_agg(to_timestamp(ms / 1000.0) ORDER BY ms) AS list FROM unnest(${starts.map(Number)}::bigint[]) AS ms
    )
    SELECT width_bucket(${sql.ref(time)}, (SELECT list FROM starts)) AS bucket,
           sum(visits)::bigint AS visits, sum(bots)::bigint AS bots, sum(previews)::bigint AS previews
    FROM ${sql.table(table)}
    WHERE link_id = ${linkId} AND ${sql.ref(time)} >= ${first}::timestamptz AND ${sql.ref(time)} < ${end}::timestamptz
    GROUP BY 1`.execute(database)
  const counts = new Map(rows.map(row => [row.bucket, countsOf(row)]))
  return starts.map((start, i) => ({
    start,
    ...(counts.get(i + 1) ?? { visits: 0, humans: 0, bots: 0, previews: 0 }),
  }))
}
