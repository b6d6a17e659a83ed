/** Compares the aggregates of one day with the sums of its raw visits (raw-day.ts). */
import type { StoredBreakdowns } from '@hopcount/shared/breakdowns.ts'
import type { PoolClient } from 'pg'
import { findBreakdownDifference } from './compare-breakdowns.ts'
import type { Difference } from './difference-rows.ts'
import { differenceText, findDifferences, maxDifferences } from './difference-rows.ts'
import { fetchAll } from './fetch-all.ts'
import type { SumOptions } from './raw-day.ts'

export async function compareDay(
  client: PoolClient,
  day: number,
  { bucketMs, minutesFrom }: SumOptions,
): Promise<Difference[]> {
  return [
    ...(await compareLinks(client, day)),
    ...(await compareBreakdowns(client, day)),
    ...(await compareQuarters(client, day, bucketMs)),
    ...(minutesFrom === undefined ? [] : await compareMinutes(client, day, minutesFrom)),
  ]
}

function compareLinks(client: PoolClient, day: number): Promise<Difference[]> {
  return findDifferences(
    client,
    `SELECT 'day ' || ('1970-01-01'::date + $1::integer) AS place, link_id, kind,
            coalesce(expected, 0) AS expected, coalesce(found, 0) AS found
     FROM day_links AS raw
     FULL JOIN (SELECT * FROM link_days WHERE day = '1970-01-01'::date + $1::integer) AS total USING (link_id)
     CROSS JOIN LATERAL (VALUES
       ('visits', raw.visits, total.visits), ('bots', raw.bots, total.bots), ('previews', raw.previews, total.previews),
       ('uniques', coalesce(raw.uniques, total.uniques), total.uniques)
     ) AS count (kind, expected, found)
     WHERE (raw.visits, raw.bots, raw.previews, coalesce(raw.uniques, total.uniques))
             IS DISTINCT FROM (total.visits, total.bots, total.previews, total.uniques)
       AND coalesce(expected, 0) <> coalesce(found, 0)`,
    [day],
  )
}

async function compareBreakdowns(client: PoolClient, day: number): Promise<Difference[]> {
  const differences: Difference[] = []
  await client.query(
    `DECLARE unequal NO SCROLL CURSOR FOR
     SELECT link_id, raw.breakdowns AS expected, total.breakdowns AS found
     FROM day_links AS raw
     JOIN (SELECT * FROM link_days WHERE day = '1970-01-01'::date + $1::integer) AS total USING (link_id)
     WHERE raw.breakdowns::jsonb <> total.breakdowns::jsonb`,
    [day],
  )
  for await (const rows of fetchAll<{
    link_id: number
    expected: StoredBreakdowns
    found: StoredBreakdowns
  }>(client, 'unequal')) {
    for (const row of rows) {
      const difference = findBreakdownDifference(row.expected, row.found)
      if (difference === undefined || differences.length >= maxDifferences) continue
      const { kind, expected, found } = difference
      const place = `day ${new Date(day * 86_400_000).toISOString().slice(0, 10)}`
      differences.push({ what: differenceText(place, row.link_id, kind), expected, found })
    }
  }
  return differences
}

function compareQuarters(client: PoolClient, day: number, bucketMs: number): Promise<Difference[]> {
  return findDifferences(
    client,
    `SELECT 'quarter ' || to_char(quarter AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS place, link_id, kind,
            coalesce(expected, 0) AS expected, coalesce(found, 0) AS found
     FROM day_quarters AS raw
     FULL JOIN (
       SELECT link_id, date_bin($2::integer * interval '1 millisecond', quarter, 'epoch'::timestamptz) AS quarter,
              sum(visits)::bigint AS visits, sum(bots)::bigint AS bots, sum(previews)::bigint AS previews
       FROM link_quarters
       WHERE quarter >= ('1970-01-01'::date + $1::integer)::timestamp AT TIME ZONE 'UTC'
         AND quarter < ('1970-01-01'::date + $1::integer + 1)::timestamp AT TIME ZONE 'UTC'
       GROUP BY 1, 2
     ) AS total USING (link_id, quarter)
     CROSS JOIN LATERAL (VALUES
       ('visits', raw.visits, total.visits), ('bots', raw.bots, total.bots), ('previews', raw.previews, total.previews)
     ) AS count (kind, expected, found)
     WHERE (raw.visits, raw.bots, raw.previews) IS DISTINCT FROM (total.visits, total.bots, total.previews)
       AND coalesce(expected, 0) <> coalesce(found, 0)`,
    [day, bucketMs],
  )
}

function compareMinutes(client: PoolClient, day: number, from: number): Promise<Difference[]> {
  return findDifferences(
    client,
    `SELECT 'minute ' || to_char(minute AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS place, link_id, kind,
            coalesce(expected, 0) AS expected, coalesce(found, 0) AS found
     FROM day_minutes AS raw
     FULL JOIN (
       SELECT * FROM link_minutes
       WHERE minute >= greatest(to_timestamp($2::bigint / 1000.0), ('1970-01-01'::date + $1::integer)::timestamp AT TIME ZONE 'UTC')
         AND minute < ('1970-01-01'::date + $1::integer + 1)::timestamp AT TIME ZONE 'UTC'
     ) AS total USING (link_id, minute)
     CROSS JOIN LATERAL (VALUES
       ('visits', raw.visits, total.visits), ('bots', raw.bots, total.bots), ('previews', raw.previews, total.previews)
     ) AS count (kind, expected, found)
     WHERE (raw.visits, raw.bots, raw.previews) IS DISTINCT FROM (total.visits, total.bots, total.previews)
       AND coalesce(expected, 0) <> coalesce(found, 0)`,
    [day, from],
  )
}
