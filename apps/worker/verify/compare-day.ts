/** Compares the aggregates of one day with the sums of its raw visits (raw-day.ts). */
import type { Breakdowns, StoredBreakdowns } from '@hopcount/shared/breakdowns.ts'
import { addStored } from '@hopcount/shared/breakdowns.ts'
import { dayText } from '@hopcount/shared/days.ts'
import type { PoolClient } from 'pg'
import { fetchAll } from '../recount/fetch-all.ts'
import type { SumOptions } from '../recount/raw-day.ts'
import { findBreakdownDifference } from './compare-breakdowns.ts'
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
       ('uniques', coalesce(raw.uniques, total.uniques), total.uniques)
     ) AS count (kind, expected, found)
     WHERE (raw.visits, raw.bots, raw.previews, coalesce(raw.uniques, total.uniques))
             IS DISTINCT FROM (total.visits, total.bots, total.previews, total.uniques)
       AND coalesce(expected, 0) <> coalesce(found, 0)`,
    [dayText(day)],
  )
}

/** Of a link and day, the row in link_breakdowns and what has not been folded into it yet. */
async function compareBreakdowns(client: PoolClient, day: number): Promise<Difference[]> {
  const differences: Difference[] = []
  await client.query(
    `DECLARE unequal NO SCROLL CURSOR FOR
     SELECT link_id, raw.breakdowns AS expected, folded.breakdowns AS folded, deltas.parts AS deltas
     FROM day_links AS raw
     LEFT JOIN link_breakdowns AS folded USING (link_id)
     LEFT JOIN (
       SELECT link_id, json_agg(breakdowns) AS parts FROM breakdown_deltas
       WHERE day = $1::date GROUP BY link_id
     ) AS deltas USING (link_id)
     WHERE folded.day = $1::date
       AND (deltas.parts IS NOT NULL OR raw.breakdowns::jsonb <> folded.breakdowns::jsonb)
     UNION ALL
     SELECT link_id, raw.breakdowns, NULL, deltas.parts
     FROM day_links AS raw
     LEFT JOIN (
       SELECT link_id, json_agg(breakdowns) AS parts FROM breakdown_deltas
       WHERE day = $1::date GROUP BY link_id
     ) AS deltas USING (link_id)
     WHERE NOT EXISTS (SELECT FROM link_breakdowns WHERE link_id = raw.link_id AND day = $1::date)`,
    [dayText(day)],
  )
  for await (const rows of fetchAll<{
    link_id: number
    expected: StoredBreakdowns
    folded: StoredBreakdowns | null
    deltas: StoredBreakdowns[] | null
  }>(client, 'unequal')) {
    for (const row of rows) {
      const stored: Breakdowns = new Map()
      for (const part of [row.folded ?? {}, ...(row.deltas ?? [])]) addStored(stored, part)
      const difference = findBreakdownDifference(row.expected, stored)
      if (difference === undefined || differences.length >= maxDifferences) continue
      const { kind, expected, found } = difference
      const place = `day ${dayText(day)}`
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
