/**
 * Adds the sums of a transaction's visits to the aggregate tables.
 *
 * Order: breakdowns, which lock nothing; the links' totals, days, quarter hours, minutes, each sorted by key; then the
 * same of all links together (link_id 0), whose rows every transaction wants: they are locked for the last few
 * statements only.
 */
import { storedText } from '@hopcount/shared/breakdowns.ts'
import type { PoolClient } from 'pg'
import { numberArray } from './array-literals.ts'
import type { DescribedVisit } from './describe-visits.ts'
import type { UniqueVisitors } from './insert-visitors.ts'
import type { BucketSum, DaySum, LinkSum, VisitSums } from './sum-visits.ts'
import { sumOfAllLinks, sumVisits } from './sum-visits.ts'

/** Minutes are kept for the last two days: what comes later has its quarter hours. */
export const minutesReachBackMs = 48 * 60 * 60 * 1_000

export async function addToAggregates(
  client: PoolClient,
  visits: DescribedVisit[],
  uniques: UniqueVisitors,
): Promise<void> {
  const ofLinks = sumVisits(visits)
  const ofAll = sumOfAllLinks(ofLinks)
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
           SELECT link_id, visits, bots, previews, uniques, to_timestamp(first_visit / 1000.0), to_timestamp(last_visit / 1000.0)
           FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
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
      numberArray(links.map(l => l.linkId)),
      numberArray(links.map(l => l.visits)),
      numberArray(links.map(l => l.bots)),
      numberArray(links.map(l => l.previews)),
      numberArray(links.map(l => uniques.ofLink(l.linkId))),
      numberArray(links.map(l => l.firstVisit)),
      numberArray(links.map(l => l.lastVisit)),
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
      numberArray(days.map(d => d.linkId)),
      numberArray(days.map(d => d.day)),
      numberArray(days.map(d => d.visits)),
      numberArray(days.map(d => d.bots)),
      numberArray(days.map(d => d.previews)),
      numberArray(days.map(d => uniques.ofDay(d.linkId, d.day))),
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
      numberArray(days.map(d => d.linkId)),
      numberArray(days.map(d => d.day)),
      days.map(d => storedText(d.breakdowns)).join('\n'),
    ],
  })
}

async function addToQuarters(client: PoolClient, quarters: BucketSum[]): Promise<void> {
  await client.query({
    name: 'add-to-link-quarters',
    text: `INSERT INTO link_quarters AS total (link_id, quarter, visits, bots, previews)
           SELECT link_id, to_timestamp(start / 1000.0), visits, bots, previews
           FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS sum (link_id, start, visits, bots, previews)
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
           SELECT link_id, to_timestamp(start / 1000.0), visits, bots, previews
           FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS sum (link_id, start, visits, bots, previews)
           WHERE to_timestamp(start / 1000.0) >= now() - $6 * interval '1 millisecond'
           ORDER BY link_id, start
           ON CONFLICT (link_id, minute) DO UPDATE SET
             visits = total.visits + excluded.visits,
             bots = total.bots + excluded.bots,
             previews = total.previews + excluded.previews`,
    values: [...bucketColumns(minutes), minutesReachBackMs],
  })
}

function bucketColumns(buckets: BucketSum[]): string[] {
  return [
    numberArray(buckets.map(b => b.linkId)),
    numberArray(buckets.map(b => b.start)),
    numberArray(buckets.map(b => b.visits)),
    numberArray(buckets.map(b => b.bots)),
    numberArray(buckets.map(b => b.previews)),
  ]
}
