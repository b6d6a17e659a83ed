/** Compares the aggregates of one day with the sums of its raw visits (raw-day.ts). */
import { dayText } from '@hopcount/shared/days.ts'
import type { PoolClient } from 'pg'
import { differingBreakdowns } from '../recount/differing-breakdowns.ts'
import type { SumOptions } from '../recount/raw-day.ts'
import type { Difference } from './difference-rows.ts'
import { differenceText, findDifferences, maxDifferences } from './difference-rows.ts'

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
    `SELECT 'day ' || $1::date AS place, link_id, kind,
            coalesce(expected, 0) AS expected, coalesce(found, 0) AS found
     FROM day_links AS raw
     FULL JOIN (SELECT * FROM link_days WHERE day = $1::date) AS total USING (link_id)
     CROSS JOIN LATERAL (VALUES
       ('visits', raw.visits, total.visits), ('bots', raw.bots, total.bots), ('previews', raw.previews, total.previews),
       ('unique visitors', coalesce(raw.uniques, total.uniques), total.uniques)
     ) AS count (kind, expected, found)
     WHERE (raw.visits, raw.bots, raw.previews, coalesce(raw.uniques, total.uniques))
             IS DISTINCT FROM (total.visits, total.bots, total.previews, total.uniques)
       AND coalesce(expected, 0) <> coalesce(found, 0)`,
    [dayText(day)],
  )
}

async function compareBreakdowns(client: PoolClient, day: number): Promise<Difference[]> {
  const differences: Difference[] = []
  const place = `day ${dayText(day)}`
  for await (const { linkId, kind, expected, found } of differingBreakdowns(client, day)) {
    if (differences.length >= maxDifferences) continue
    differences.push({ what: differenceText(place, linkId, kind), expected, found })
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
       WHERE quarter >= $1::date::timestamp AT TIME ZONE 'UTC'
         AND quarter < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
       GROUP BY 1, 2
     ) AS total USING (link_id, quarter)
     CROSS JOIN LATERAL (VALUES
       ('visits', raw.visits, total.visits), ('bots', raw.bots, total.bots), ('previews', raw.previews, total.previews)
     ) AS count (kind, expected, found)
     WHERE (raw.visits, raw.bots, raw.previews) IS DISTINCT FROM (total.visits, total.bots, total.previews)
       AND coalesce(expected, 0) <> coalesce(found, 0)`,
    [dayText(day), bucketMs],
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
       WHERE minute >= greatest(to_timestamp($2::bigint / 1000.0), $1::date::timestamp AT TIME ZONE 'UTC')
         AND minute < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
     ) AS total USING (link_id, minute)
     CROSS JOIN LATERAL (VALUES
       ('visits', raw.visits, total.visits), ('bots', raw.bots, total.bots), ('previews', raw.previews, total.previews)
     ) AS count (kind, expected, found)
     WHERE (raw.visits, raw.bots, raw.previews) IS DISTINCT FROM (total.visits, total.bots, total.previews)
       AND coalesce(expected, 0) <> coalesce(found, 0)`,
    [dayText(day), from],
  )
}
