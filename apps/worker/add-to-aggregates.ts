/**
 * Adds the sums of a transaction's visits to the aggregate tables.
 *
 * Order: breakdowns, which lock nothing; the links' totals, days, quarter hours, minutes, each sorted by key; then the
 * same of all links together (link_id 0), whose rows every transaction wants: they are locked for the last few
 * statements only.
 */

import { bigintArray, integerArray, timestampArray } from '@hopcount/shared/binary-arrays.ts'
import type { PoolClient } from 'pg'
import type { DaySums, LinkSums, Sums, VisitSums } from './sum-visits.ts'

/** Minutes are kept for the last two days: what comes later has its quarter hours. */
export const minutesReachBackMs = 48 * 60 * 60 * 1_000

export async function addToAggregates(
  client: PoolClient,
  { ofLinks, ofAll }: { ofLinks: VisitSums; ofAll: VisitSums },
): Promise<void> {
  await addBreakdowns(client, ofLinks.days, ofAll.days)
  await addSums(client, ofLinks)
  await addSums(client, ofAll)
}

async function addSums(client: PoolClient, sums: VisitSums): Promise<void> {
  await addToTotals(client, sums.links)
  await addToDays(client, sums.days)
  await addToQuarters(client, sums.quarters)
  await addToMinutes(client, sums.minutes)
}

async function addToTotals(client: PoolClient, links: LinkSums): Promise<void> {
  await client.query({
    name: 'add-to-link-totals',
    text: `INSERT INTO link_totals AS total (link_id, visits, bots, previews, uniques, first_visit, last_visit)
           SELECT link_id, visits, bots, previews, uniques, first_visit, last_visit
           FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::timestamptz[])
             AS sum (link_id, visits, bots, previews, uniques, first_visit, last_visit)
           ORDER BY link_id
           ON CONFLICT (link_id) DO UPDATE SET
             visits = total.visits + excluded.visits,
             bots = total.bots + excluded.bots,
             previews = total.previews + excluded.previews,
             uniques = total.uniques + excluded.uniques,
             first_visit = least(total.first_visit, excluded.first_visit),
             last_visit = greatest(total.last_visit, excluded.last_visit)`,
    values: [
      bigintArray(links.linkIds),
      bigintArray(links.visits),
      bigintArray(links.bots),
      bigintArray(links.previews),
      bigintArray(links.uniques),
      timestampArray(links.firstVisits),
      timestampArray(links.lastVisits),
    ],
  })
}

async function addToDays(client: PoolClient, days: DaySums): Promise<void> {
  await client.query({
    name: 'add-to-link-days',
    text: `INSERT INTO link_days AS total (link_id, day, visits, bots, previews, uniques)
           SELECT link_id, '1970-01-01'::date + day, visits, bots, previews, uniques
           FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
             AS sum (link_id, day, visits, bots, previews, uniques)
           ORDER BY link_id, day
           ON CONFLICT (link_id, day) DO UPDATE SET
             visits = total.visits + excluded.visits,
             bots = total.bots + excluded.bots,
             previews = total.previews + excluded.previews,
             uniques = total.uniques + excluded.uniques`,
    values: [
      bigintArray(days.linkIds),
      integerArray(days.times),
      bigintArray(days.visits),
      bigintArray(days.bots),
      bigintArray(days.previews),
      bigintArray(days.uniques),
    ],
  })
}

/** Appended: a row that grows is not read and written here (fold-breakdowns.ts does, once for many transactions). */
async function addBreakdowns(client: PoolClient, ofLinks: DaySums, ofAll: DaySums): Promise<void> {
  await client.query({
    name: 'add-breakdown-deltas',
    // One text instead of an array: JSON has no raw line break, and an array's elements would have to be quoted.
    text: `INSERT INTO breakdown_deltas (link_id, day, breakdowns)
           SELECT link_id, '1970-01-01'::date + day, breakdowns::json
           FROM unnest($1::bigint[], $2::integer[], string_to_array($3, E'\\n')) AS delta (link_id, day, breakdowns)`,
    values: [
      bigintArray([...ofLinks.linkIds, ...ofAll.linkIds]),
      integerArray([...ofLinks.times, ...ofAll.times]),
      [...ofLinks.breakdowns, ...ofAll.breakdowns].join('\n'),
    ],
  })
}

async function addToQuarters(client: PoolClient, quarters: Sums): Promise<void> {
  await client.query({
    name: 'add-to-link-quarters',
    text: `INSERT INTO link_quarters AS total (link_id, quarter, visits, bots, previews)
           SELECT link_id, start, visits, bots, previews
           FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[]) AS sum (link_id, start, visits, bots, previews)
           ORDER BY link_id, start
           ON CONFLICT (link_id, quarter) DO UPDATE SET
             visits = total.visits + excluded.visits,
             bots = total.bots + excluded.bots,
             previews = total.previews + excluded.previews`,
    values: bucketColumns(quarters),
  })
}

/** The database's clock says what is too old: a worker's own may be off by a year. */
async function addToMinutes(client: PoolClient, minutes: Sums): Promise<void> {
  await client.query({
    name: 'add-to-link-minutes',
    text: `INSERT INTO link_minutes AS total (link_id, minute, visits, bots, previews)
           SELECT link_id, start, visits, bots, previews
           FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[]) AS sum (link_id, start, visits, bots, previews)
           WHERE start >= now() - $6 * interval '1 millisecond'
           ORDER BY link_id, start
           ON CONFLICT (link_id, minute) DO UPDATE SET
             visits = total.visits + excluded.visits,
             bots = total.bots + excluded.bots,
             previews = total.previews + excluded.previews`,
    values: [...bucketColumns(minutes), minutesReachBackMs],
  })
}

function bucketColumns(buckets: Sums): Buffer[] {
  return [
    bigintArray(buckets.linkIds),
    timestampArray(buckets.times),
    bigintArray(buckets.visits),
    bigintArray(buckets.bots),
    bigintArray(buckets.previews),
  ]
}
