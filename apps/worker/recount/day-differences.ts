/**
 * What a day's aggregates lack to be the sums of its raw visits (raw-day.ts), as rows to be added. Sorted by link and
 * time, with all links last. A row that should not exist lacks its counts, negative.
 */
import { allLinks } from '@hopcount/shared/all-links.ts'
import { dayText } from '@hopcount/shared/days.ts'
import type { PoolClient } from 'pg'
import { fetchAll } from './fetch-all.ts'

export interface DayDifference {
  link_id: number
  visits: number
  bots: number
  previews: number
  uniques: number
}

export interface TimeDifference {
  link_id: number
  /** Milliseconds since 1970. */
  start: number
  visits: number
  bots: number
  previews: number
}

/** First and last visit of a link. All four in milliseconds since 1970; stored ones are null for a link without a row. */
export interface MomentDifference {
  link_id: number
  first_visit: number
  last_visit: number
  stored_first: number | null
  stored_last: number | null
}

/** Unique visitors that can't be counted again stay as they are. */
export async function* dayDifferences(client: PoolClient, day: number): AsyncGenerator<DayDifference[]> {
  await client.query(
    `DECLARE day_differences NO SCROLL CURSOR FOR
     SELECT * FROM (
       SELECT link_id, coalesce(raw.visits, 0) - coalesce(stored.visits, 0) AS visits,
              coalesce(raw.bots, 0) - coalesce(stored.bots, 0) AS bots,
              coalesce(raw.previews, 0) - coalesce(stored.previews, 0) AS previews,
              CASE WHEN raw.visits IS NULL THEN -stored.uniques
                   ELSE coalesce(raw.uniques, stored.uniques, 0) - coalesce(stored.uniques, 0) END AS uniques
       FROM day_links AS raw
       FULL JOIN (SELECT * FROM link_days WHERE day = $1::date) AS stored USING (link_id)
     ) AS difference
     WHERE (visits, bots, previews, uniques) <> (0, 0, 0, 0)
     ORDER BY link_id = ${allLinks}, link_id`,
    [dayText(day)],
  )
  yield* fetchAll<DayDifference>(client, 'day_differences')
}

/** Of the quarter hours in which an hour's or quarter hour's sum is wrong (`bucketMs`). */
export async function* quarterDifferences(
  client: PoolClient,
  day: number,
  bucketMs: number,
): AsyncGenerator<TimeDifference[]> {
  await client.query(
    `DECLARE quarter_differences NO SCROLL CURSOR FOR
     WITH stored AS MATERIALIZED (
       SELECT link_id, quarter, visits, bots, previews,
              date_bin($2::integer * interval '1 millisecond', quarter, 'epoch'::timestamptz) AS bucket
       FROM link_quarters
       WHERE quarter >= $1::date::timestamp AT TIME ZONE 'UTC'
         AND quarter < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
     ), wrong AS MATERIALIZED (
       SELECT link_id, bucket
       FROM (SELECT link_id, quarter AS bucket, visits, bots, previews FROM day_quarters) AS raw
       FULL JOIN (
         SELECT link_id, bucket, sum(visits)::bigint AS visits, sum(bots)::bigint AS bots, sum(previews)::bigint AS previews
         FROM stored GROUP BY 1, 2
       ) AS total USING (link_id, bucket)
       WHERE (raw.visits, raw.bots, raw.previews) IS DISTINCT FROM (total.visits, total.bots, total.previews)
     )
     SELECT link_id, (extract(epoch FROM quarter) * 1000)::bigint AS start,
            sum(visits)::bigint AS visits, sum(bots)::bigint AS bots, sum(previews)::bigint AS previews
     FROM (
       SELECT raw.link_id, quarter, visits, bots, previews
       FROM day_quarters AS raw JOIN wrong ON wrong.link_id = raw.link_id AND bucket = quarter
       UNION ALL
       SELECT link_id, quarter, -visits, -bots, -previews FROM stored JOIN wrong USING (link_id, bucket)
     ) AS part
     GROUP BY link_id, quarter
     HAVING (sum(visits), sum(bots), sum(previews)) <> (0, 0, 0)
     ORDER BY link_id = ${allLinks}, 1, 2`,
    [dayText(day), bucketMs],
  )
  yield* fetchAll<TimeDifference>(client, 'quarter_differences')
}

/** From a moment on (milliseconds since 1970): older minutes are about to be retired. */
export async function* minuteDifferences(
  client: PoolClient,
  day: number,
  from: number,
): AsyncGenerator<TimeDifference[]> {
  await client.query(
    `DECLARE minute_differences NO SCROLL CURSOR FOR
     SELECT * FROM (
       SELECT link_id, (extract(epoch FROM minute) * 1000)::bigint AS start,
              coalesce(raw.visits, 0) - coalesce(stored.visits, 0) AS visits,
              coalesce(raw.bots, 0) - coalesce(stored.bots, 0) AS bots,
              coalesce(raw.previews, 0) - coalesce(stored.previews, 0) AS previews
       FROM day_minutes AS raw
       FULL JOIN (
         SELECT * FROM link_minutes
         WHERE minute >= greatest(to_timestamp($2::bigint / 1000.0), $1::date::timestamp AT TIME ZONE 'UTC')
           AND minute < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
       ) AS stored USING (link_id, minute)
     ) AS difference
     WHERE (visits, bots, previews) <> (0, 0, 0)
     ORDER BY link_id = ${allLinks}, 1, 2`,
    [dayText(day), from],
  )
  yield* fetchAll<TimeDifference>(client, 'minute_differences')
}

/** A first visit is known if the link has no earlier day, a last one if it has no later day. */
export async function* momentDifferences(
  client: PoolClient,
  day: number,
): AsyncGenerator<MomentDifference[]> {
  const milliseconds = (column: string) => `floor(extract(epoch FROM ${column}) * 1000)::bigint AS ${column}`
  await client.query(
    `DECLARE moment_differences NO SCROLL CURSOR FOR
     SELECT link_id, ${['first_visit', 'last_visit', 'stored_first', 'stored_last'].map(milliseconds).join(', ')}
     FROM (
       SELECT raw.link_id,
              CASE WHEN EXISTS (SELECT FROM link_days AS earlier WHERE earlier.link_id = raw.link_id AND earlier.day < $1::date)
                   THEN coalesce(stored.first_visit, (SELECT min(quarter) FROM link_quarters WHERE link_quarters.link_id = raw.link_id))
                   ELSE raw.first_visit END AS first_visit,
              CASE WHEN EXISTS (SELECT FROM link_days AS later WHERE later.link_id = raw.link_id AND later.day > $1::date)
                   THEN coalesce(stored.last_visit, raw.last_visit)
                   ELSE raw.last_visit END AS last_visit,
              stored.first_visit AS stored_first, stored.last_visit AS stored_last
       FROM day_links AS raw LEFT JOIN link_totals AS stored USING (link_id)
     ) AS wanted
     WHERE (first_visit, last_visit) IS DISTINCT FROM (stored_first, stored_last)
     ORDER BY link_id = ${allLinks}, link_id`,
    [dayText(day)],
  )
  yield* fetchAll<MomentDifference>(client, 'moment_differences')
}
