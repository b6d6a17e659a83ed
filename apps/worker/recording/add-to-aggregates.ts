/**
 * Adds a transaction's visits to the aggregate tables, a slice of its links at a time.
 *
 * Every worker uses the same order. Slices come in the order of links. In each, breakdowns come first, which lock
 * nothing; then the links' totals, before anything else of these links; then days, quarter hours and minutes, each sorted
 * by key. So a transaction that needs a row of a link waits at the link's total, and totals are locked in ascending order
 * of links, however other transactions cut their slices. The rows of all links (link_id 0) come last: every transaction
 * needs them, so they are locked during the last few statements only. Classified days, one row per day, come after them.
 *
 * The statements of a slice are sent together, and those of all links together with the last slice's. A worker that gets
 * little of the processor would otherwise hold the rows that everybody needs while it waits for its turn between two
 * statements.
 */
import { bigintArray, dateArray, timestampArray } from '@hopcount/shared/database/binary-arrays.ts'
import { sendTogether } from '@hopcount/shared/database/send-together.ts'
import { minutesReachBackMs } from '@hopcount/shared/days.ts'
import type { PoolClient } from 'pg'
import { addToClassifiedDays } from './classified-days.ts'
import type { UniqueVisitors } from './insert-visitors.ts'
import { noUniqueVisitors } from './insert-visitors.ts'
import { addToSumsOfAll, columnsOfAll, createSumsOfAll } from './sum-all-links.ts'
import type { BreakdownDeltas, DaySums, LinkSums, Sums, VisitSums } from './sum-visits.ts'
import { sumVisits } from './sum-visits.ts'
import type { VisitColumns } from './visit-columns.ts'

/**
 * @param slices sorted places of the visits of some links each (sliceByLink)
 * @param uniques the new unique visitors of each slice
 */
export async function addToAggregates(
  client: PoolClient,
  visits: VisitColumns,
  slices: Uint32Array[],
  uniques: UniqueVisitors[],
): Promise<void> {
  const ofAll = createSumsOfAll()
  let writing: Promise<unknown> = Promise.resolve()
  for (const [slice, places] of slices.entries()) {
    // Runs while PostgreSQL writes the previous slice.
    const sums = sumVisits(visits, places, uniques[slice] ?? noUniqueVisitors(), ofAll.breakdowns)
    addToSumsOfAll(ofAll, sums)
    const sumsOfAll = slice === slices.length - 1 ? columnsOfAll(ofAll) : undefined
    await writing
    writing = sendTogether(client, () => [
      ...addSums(client, sums),
      ...(sumsOfAll === undefined ? [] : addSumsOfAll(client, sumsOfAll)),
    ])
  }
  await writing
}

function addSumsOfAll(client: PoolClient, sums: VisitSums): Promise<void>[] {
  return [...addSums(client, sums), addToClassifiedDays(client, sums.days)]
}

/** Starts them in this order. */
function addSums(client: PoolClient, sums: VisitSums): Promise<void>[] {
  return [
    insertDeltas(client, sums.deltas),
    addToTotals(client, sums.links),
    addToDays(client, sums.days),
    addToQuarters(client, sums.quarters),
    addToMinutes(client, sums.minutes),
  ]
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
           SELECT link_id, day, visits, bots, previews, uniques
           FROM unnest($1::bigint[], $2::date[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
             AS sum (link_id, day, visits, bots, previews, uniques)
           ORDER BY link_id, day
           ON CONFLICT (link_id, day) DO UPDATE SET
             visits = total.visits + excluded.visits,
             bots = total.bots + excluded.bots,
             previews = total.previews + excluded.previews,
             uniques = total.uniques + excluded.uniques`,
    values: [
      bigintArray(days.linkIds),
      dateArray(days.times),
      bigintArray(days.visits),
      bigintArray(days.bots),
      bigintArray(days.previews),
      bigintArray(days.uniques),
    ],
  })
}

/** Appended: a row that grows is not read and written here (fold-breakdowns.ts does, once for many transactions). */
export async function insertDeltas(client: PoolClient, deltas: BreakdownDeltas): Promise<void> {
  await client.query({
    name: 'add-breakdown-deltas',
    // One text instead of an array: JSON has no raw line break, and an array's elements would have to be quoted.
    text: `INSERT INTO breakdown_deltas (link_id, day, breakdowns)
           SELECT link_id, day, breakdowns::json
           FROM unnest($1::bigint[], $2::date[], string_to_array($3, E'\\n')) AS delta (link_id, day, breakdowns)`,
    values: [bigintArray(deltas.linkIds), dateArray(deltas.days), deltas.texts.join('\n')],
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
