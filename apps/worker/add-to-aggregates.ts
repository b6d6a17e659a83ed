/**
 * Adds the sums of a transaction's visits to the aggregate tables.
 *
 * Order: breakdowns, which lock nothing; the links' totals, days, quarter hours, minutes, each sorted by key; then the
 * same of all links together (link_id 0), whose rows every transaction wants: they are locked for the last few
 * statements only.
 */
import type { PoolClient } from 'pg'
import { bigintArray, integerArray, timestampArray } from './binary-arrays.ts'
import type { DescribedVisit } from './describe-visits.ts'
import type { UniqueVisitors } from './insert-visitors.ts'
import type { BucketSum, DaySum, LinkSum, VisitSums } from './sum-visits.ts'
import { sumVisits } from './sum-visits.ts'

/** Minutes are kept for the last two days: what comes later has its quarter hours. */
export const minutesReachBackMs = 48 * 60 * 60 * 1_000

/** `visits` are sorted by link and time. */
export async function addToAggregates(
  client: PoolClient,
  visits: DescribedVisit[],
  uniques: UniqueVisitors,
): Promise<void> {
  const { ofLinks, ofAll } = sumVisits(visits)
  await addBreakdowns(client, [...ofLinks.days, ...ofAll.days])
  await addSums(client, ofLinks, uniques)
  await addSums(client, ofAll, uniques)
}

async function addSums(client: PoolClient, sums: VisitSums, uniques: UniqueVisitors): Promise<void> {
  await addToTotals(client, sums.links, uniques)
  await addToDays(client, sums.days, uniques)
  await addToQuarters(client, sums.quarters)
  await addToMinutes(client, sums.minutes)
}

async function addToTotals(client: PoolClient, links: LinkSum[], uniques: UniqueVisitors): Promise<void> {
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
      bigintArray(links.map(l => l.linkId)),
      bigintArray(links.map(l => l.visits)),
      bigintArray(links.map(l => l.bots)),
      bigintArray(links.map(l => l.previews)),
      bigintArray(links.map(l => uniques.ofLink(l.linkId))),
      timestampArray(links.map(l => l.firstVisit)),
      timestampArray(links.map(l => l.lastVisit)),
    ],
  })
}

async function addToDays(client: PoolClient, days: DaySum[], uniques: UniqueVisitors): Promise<void> {
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
      bigintArray(days.map(d => d.linkId)),
      integerArray(days.map(d => d.day)),
      bigintArray(days.map(d => d.visits)),
      bigintArray(days.map(d => d.bots)),
      bigintArray(days.map(d => d.previews)),
      bigintArray(days.map(d => uniques.ofDay(d.linkId, d.day))),
    ],
  })
}

/** Appended: a row that grows is not read and written here (fold-breakdowns.ts does, once for many transactions). */
async function addBreakdowns(client: PoolClient, days: DaySum[]): Promise<void> {
  await client.query({
    name: 'add-breakdown-deltas',
    // One text instead of an array: JSON has no raw line break, and an array's elements would have to be quoted.
    text: `INSERT INTO breakdown_deltas (link_id, day, breakdowns)
           SELECT link_id, '1970-01-01'::date + day, breakdowns::json
           FROM unnest($1::bigint[], $2::integer[], string_to_array($3, E'\\n')) AS delta (link_id, day, breakdowns)`,
    values: [
      bigintArray(days.map(d => d.linkId)),
      integerArray(days.map(d => d.day)),
      days.map(d => d.breakdowns).join('\n'),
    ],
  })
}

async function addToQuarters(client: PoolClient, quarters: BucketSum[]): Promise<void> {
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
async function addToMinutes(client: PoolClient, minutes: BucketSum[]): Promise<void> {
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

function bucketColumns(buckets: BucketSum[]): Buffer[] {
  return [
    bigintArray(buckets.map(b => b.linkId)),
    timestampArray(buckets.map(b => b.start)),
    bigintArray(buckets.map(b => b.visits)),
    bigintArray(buckets.map(b => b.bots)),
    bigintArray(buckets.map(b => b.previews)),
  ]
}
