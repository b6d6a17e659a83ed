/** Compares totals with the sums of days, with each other and with the ledger, and their first and last visits with raw visits. */
import { allLinks } from '@hopcount/shared/all-links.ts'
import { dayText } from '@hopcount/shared/days.ts'
import type { PoolClient } from 'pg'
import type { KeptDays } from '../recount/kept-days.ts'
import type { Difference } from './difference-rows.ts'
import { findDifferences } from './difference-rows.ts'

export async function compareTotals(client: PoolClient, kept: KeptDays): Promise<Difference[]> {
  return [
    ...(await compareWithDays(client)),
    ...(await compareAllLinks(client)),
    ...(await compareFirstAndLast(client, kept.rawVisitsFrom)),
    ...(await findLooseBreakdowns(client)),
    ...(await compareLedger(client)),
  ]
}

function compareWithDays(client: PoolClient): Promise<Difference[]> {
  return findDifferences(
    client,
    `SELECT 'total' AS place, link_id, kind, coalesce(expected, 0) AS expected, coalesce(found, 0) AS found
     FROM (
       SELECT link_id, sum(visits)::bigint AS visits, sum(bots)::bigint AS bots, sum(previews)::bigint AS previews,
              sum(uniques)::bigint AS uniques
       FROM link_days GROUP BY link_id
     ) AS days
     FULL JOIN link_totals AS total USING (link_id)
     CROSS JOIN LATERAL (VALUES
       ('visits', days.visits, total.visits), ('bots', days.bots, total.bots),
       ('previews', days.previews, total.previews), ('unique visitors', days.uniques, total.uniques)
     ) AS count (kind, expected, found)
     WHERE (days.visits, days.bots, days.previews, days.uniques)
             IS DISTINCT FROM (total.visits, total.bots, total.previews, total.uniques)
       AND coalesce(expected, 0) <> coalesce(found, 0)`,
  )
}

/** Unique visitors are left out: a visitor of two links is one visitor of all links. */
function compareAllLinks(client: PoolClient): Promise<Difference[]> {
  return findDifferences(
    client,
    `SELECT 'total' AS place, ${allLinks} AS link_id, 'sum of ' || kind AS kind, expected, found
     FROM (
       SELECT coalesce(sum(visits) FILTER (WHERE link_id <> ${allLinks}), 0)::bigint AS visits,
              coalesce(sum(bots) FILTER (WHERE link_id <> ${allLinks}), 0)::bigint AS bots,
              coalesce(sum(previews) FILTER (WHERE link_id <> ${allLinks}), 0)::bigint AS previews,
              coalesce(sum(visits) FILTER (WHERE link_id = ${allLinks}), 0)::bigint AS all_visits,
              coalesce(sum(bots) FILTER (WHERE link_id = ${allLinks}), 0)::bigint AS all_bots,
              coalesce(sum(previews) FILTER (WHERE link_id = ${allLinks}), 0)::bigint AS all_previews
       FROM link_totals
     ) AS sums
     CROSS JOIN LATERAL (VALUES
       ('visits', visits, all_visits), ('bots', bots, all_bots), ('previews', previews, all_previews)
     ) AS count (kind, expected, found)
     WHERE expected <> found`,
  )
}

/** In milliseconds since 1970. The first visit is known only if no day of the link has been retired. */
function compareFirstAndLast(client: PoolClient, rawVisitsFrom: number): Promise<Difference[]> {
  return findDifferences(
    client,
    `WITH raw_link AS MATERIALIZED (
       SELECT link_id, min(visited_at) AS first_visit, max(visited_at) AS last_visit FROM visits
       WHERE visited_at >= $1::date::timestamp AT TIME ZONE 'UTC' GROUP BY link_id
     ),
     raw AS (
       SELECT * FROM raw_link
       UNION ALL
       SELECT ${allLinks}, min(first_visit), max(last_visit) FROM raw_link HAVING count(*) > 0
     )
     SELECT 'total' AS place, link_id, kind,
            floor(extract(epoch FROM expected) * 1000)::bigint AS expected, floor(extract(epoch FROM found) * 1000)::bigint AS found
     FROM raw JOIN link_totals AS total USING (link_id)
     CROSS JOIN LATERAL (VALUES
       ('first visit', raw.first_visit, total.first_visit), ('last visit', raw.last_visit, total.last_visit)
     ) AS moment (kind, expected, found)
     WHERE (raw.first_visit, raw.last_visit) <> (total.first_visit, total.last_visit)
       AND expected <> found
       AND (kind = 'last visit' OR NOT EXISTS (
         SELECT FROM link_days WHERE link_days.link_id = raw.link_id AND day < $1::date
       ))`,
    [dayText(rawVisitsFrom)],
  )
}

/** Days with breakdowns but without visits. */
function findLooseBreakdowns(client: PoolClient): Promise<Difference[]> {
  return findDifferences(
    client,
    `SELECT 'day ' || day AS place, link_id, 'breakdowns without visits' AS kind, 0 AS expected, 1 AS found
     FROM (SELECT link_id, day FROM link_breakdowns UNION ALL SELECT DISTINCT link_id, day FROM breakdown_deltas) AS stored
     WHERE NOT EXISTS (SELECT FROM link_days WHERE link_days.link_id = stored.link_id AND link_days.day = stored.day)`,
  )
}

async function compareLedger(client: PoolClient): Promise<Difference[]> {
  const { rows } = await client.query<{ expected: number; found: number }>(
    `SELECT (SELECT coalesce(sum(visits), 0) FROM link_totals WHERE link_id <> ${allLinks})::bigint AS expected,
            ((SELECT coalesce(sum(counted), 0) FROM ledger) + (SELECT coalesce(sum(visits), 0) FROM ledger_watermarks))::bigint AS found`,
  )
  return rows
    .filter(row => row.expected !== row.found)
    .map(row => ({ what: 'sum of the ledger', expected: row.expected, found: row.found }))
}
