/**
 * Compares the aggregates of days whose raw visits are gone with each other: quarter hours with days, all links together
 * with the sum over links, and breakdowns with the visits that they break down.
 */

import { allLinks } from '@hopcount/shared/all-links.ts'
import { dimensionLetters, laterDimensions } from '@hopcount/shared/breakdowns.ts'
import { dayText } from '@hopcount/shared/days.ts'
import type { PoolClient } from 'pg'
import type { KeptDays } from '../recount/kept-days.ts'
import type { Difference } from './difference-rows.ts'
import { findDifferences } from './difference-rows.ts'

export async function compareOlderDays(
  client: PoolClient,
  { rawVisitsFrom }: KeptDays,
): Promise<Difference[]> {
  if (rawVisitsFrom === 0) return []
  const differences: Difference[] = []
  for (const compare of [compareQuartersWithDays, compareAllLinks, compareBreakdownSums])
    differences.push(...(await compare(client, rawVisitsFrom)))
  return differences
}

function compareQuartersWithDays(client: PoolClient, beforeDay: number): Promise<Difference[]> {
  return findDifferences(
    client,
    `SELECT 'quarters of day ' || day AS place, link_id, kind, coalesce(expected, 0) AS expected, coalesce(found, 0) AS found
     FROM (SELECT * FROM link_days WHERE day < $1::date) AS days
     FULL JOIN (
       SELECT link_id, (quarter AT TIME ZONE 'UTC')::date AS day,
              sum(visits)::bigint AS visits, sum(bots)::bigint AS bots, sum(previews)::bigint AS previews
       FROM link_quarters
       WHERE quarter < $1::date::timestamp AT TIME ZONE 'UTC'
       GROUP BY 1, 2
     ) AS quarters USING (link_id, day)
     CROSS JOIN LATERAL (VALUES
       ('visits', days.visits, quarters.visits), ('bots', days.bots, quarters.bots), ('previews', days.previews, quarters.previews)
     ) AS count (kind, expected, found)
     WHERE (days.visits, days.bots, days.previews) IS DISTINCT FROM (quarters.visits, quarters.bots, quarters.previews)
       AND coalesce(expected, 0) <> coalesce(found, 0)`,
    [dayText(beforeDay)],
  )
}

/** By the hour: links are folded one after the other. */
function compareAllLinks(client: PoolClient, beforeDay: number): Promise<Difference[]> {
  return findDifferences(
    client,
    `SELECT place, ${allLinks} AS link_id, 'sum of ' || kind AS kind, expected, found
     FROM (
       SELECT 'day ' || day AS place,
              coalesce(sum(visits) FILTER (WHERE link_id <> ${allLinks}), 0)::bigint AS visits,
              coalesce(sum(bots) FILTER (WHERE link_id <> ${allLinks}), 0)::bigint AS bots,
              coalesce(sum(previews) FILTER (WHERE link_id <> ${allLinks}), 0)::bigint AS previews,
              coalesce(sum(visits) FILTER (WHERE link_id = ${allLinks}), 0)::bigint AS all_visits,
              coalesce(sum(bots) FILTER (WHERE link_id = ${allLinks}), 0)::bigint AS all_bots,
              coalesce(sum(previews) FILTER (WHERE link_id = ${allLinks}), 0)::bigint AS all_previews
       FROM link_days WHERE day < $1::date GROUP BY day
       UNION ALL
       SELECT 'hour ' || to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
              coalesce(sum(visits) FILTER (WHERE link_id <> ${allLinks}), 0)::bigint,
              coalesce(sum(bots) FILTER (WHERE link_id <> ${allLinks}), 0)::bigint,
              coalesce(sum(previews) FILTER (WHERE link_id <> ${allLinks}), 0)::bigint,
              coalesce(sum(visits) FILTER (WHERE link_id = ${allLinks}), 0)::bigint,
              coalesce(sum(bots) FILTER (WHERE link_id = ${allLinks}), 0)::bigint,
              coalesce(sum(previews) FILTER (WHERE link_id = ${allLinks}), 0)::bigint
       FROM (SELECT *, date_bin('1 hour', quarter, 'epoch'::timestamptz) AS hour FROM link_quarters
             WHERE quarter < $1::date::timestamp AT TIME ZONE 'UTC') AS quarters
       GROUP BY hour
     ) AS sums
     CROSS JOIN LATERAL (VALUES
       ('visits', visits, all_visits), ('bots', bots, all_bots), ('previews', previews, all_previews)
     ) AS count (kind, expected, found)
     WHERE expected <> found`,
    [dayText(beforeDay)],
  )
}

/** A dimension that was added later may be incomplete on days that began before it. */
function compareBreakdownSums(client: PoolClient, beforeDay: number): Promise<Difference[]> {
  return findDifferences(
    client,
    `SELECT 'day ' || day AS place, link_id, kind || letter AS kind, expected, found
     FROM link_days
     CROSS JOIN LATERAL (
       SELECT letter,
              coalesce(sum(CASE json_typeof(value) WHEN 'array' THEN value ->> 0 ELSE value #>> '{}' END::bigint), 0)::bigint AS visits,
              coalesce(sum(CASE json_typeof(value) WHEN 'array' THEN value ->> 1 ELSE value #>> '{}' END::bigint), 0)::bigint AS humans
       FROM unnest($2::text[]) AS letter
       LEFT JOIN (
         SELECT key, value
         FROM (
           SELECT breakdowns FROM link_breakdowns AS total WHERE total.link_id = link_days.link_id AND total.day = link_days.day
           UNION ALL
           SELECT breakdowns FROM breakdown_deltas AS delta WHERE delta.link_id = link_days.link_id AND delta.day = link_days.day
         ) AS stored CROSS JOIN json_each(breakdowns)
       ) AS entry ON left(entry.key, 1) = letter AND entry.key <> letter || '~'
       GROUP BY letter
     ) AS dimension
     CROSS JOIN LATERAL (VALUES
       ('sum of breakdown ', link_days.visits, dimension.visits),
       ('humans in sum of breakdown ', link_days.visits - bots - previews, dimension.humans)
     ) AS count (kind, expected, found)
     WHERE day < $1::date AND expected <> found AND (found > expected OR letter <> ALL ($3::text[]))`,
    [
      dayText(beforeDay),
      Object.values(dimensionLetters),
      laterDimensions.map(dimension => dimensionLetters[dimension]),
    ],
  )
}
