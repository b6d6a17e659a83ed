/** Writes the sums of a day's raw visits (raw-day.ts) into the aggregates that differ from them. */
import { bigintArray } from '@hopcount/shared/database/binary-arrays.ts'
import { dayText } from '@hopcount/shared/days.ts'
import type { PoolClient } from 'pg'
import { insertDeltas } from '../recording/add-to-aggregates.ts'
import { addDelta, noDeltas } from '../recording/sum-visits.ts'
import type { DifferingBreakdowns } from './differing-breakdowns.ts'
import { differingBreakdowns } from './differing-breakdowns.ts'
import type { SumOptions } from './raw-day.ts'

const linksPerStatement = 5_000

/** Returns the number of corrected rows, by table. */
export async function rebuildDay(client: PoolClient, day: number, options: SumOptions) {
  return {
    link_days: await rebuildLinks(client, day),
    link_breakdowns: await rebuildBreakdowns(client, day),
    link_quarters: await rebuildQuarters(client, day, options.bucketMs),
    link_minutes:
      options.minutesFrom === undefined ? 0 : await rebuildMinutes(client, day, options.minutesFrom),
    link_totals: await rebuildFirstAndLast(client, day),
  }
}

async function rebuildLinks(client: PoolClient, day: number): Promise<number> {
  const removed = await client.query(
    `DELETE FROM link_days
     WHERE day = $1::date AND NOT EXISTS (SELECT FROM day_links WHERE day_links.link_id = link_days.link_id)`,
    [dayText(day)],
  )
  const written = await client.query(
    `INSERT INTO link_days AS total (link_id, day, visits, bots, previews, uniques)
     SELECT link_id, $1::date, raw.visits, raw.bots, raw.previews,
            coalesce(raw.uniques, stored.uniques, 0)
     FROM day_links AS raw
     LEFT JOIN (SELECT * FROM link_days WHERE day = $1::date) AS stored USING (link_id)
     WHERE (raw.visits, raw.bots, raw.previews, coalesce(raw.uniques, stored.uniques))
             IS DISTINCT FROM (stored.visits, stored.bots, stored.previews, stored.uniques)
     ORDER BY link_id
     ON CONFLICT (link_id, day) DO UPDATE SET
       visits = excluded.visits, bots = excluded.bots, previews = excluded.previews, uniques = excluded.uniques`,
    [dayText(day)],
  )
  return (removed.rowCount ?? 0) + (written.rowCount ?? 0)
}

/** The correct values are inserted as deltas: the next fold lists the frequent ones and gives the others their rows. */
async function rebuildBreakdowns(client: PoolClient, day: number): Promise<number> {
  // A fold takes this lock first, so it has either committed or not begun.
  await client.query(`SELECT pg_advisory_xact_lock(hashtext('hopcount:fold-breakdowns'))`)
  const loose = await client.query<{ link_id: number }>(
    `SELECT link_id FROM link_breakdowns
     WHERE day = $1::date AND NOT EXISTS (SELECT FROM day_links WHERE day_links.link_id = link_breakdowns.link_id)
     UNION
     SELECT link_id FROM breakdown_deltas
     WHERE day = $1::date AND NOT EXISTS (SELECT FROM day_links WHERE day_links.link_id = breakdown_deltas.link_id)`,
    [dayText(day)],
  )
  await deleteBreakdowns(
    client,
    day,
    loose.rows.map(row => row.link_id),
  )
  let rebuilt = loose.rows.length
  let wrong: DifferingBreakdowns[] = []
  const replaceWrong = async () => {
    await deleteBreakdowns(
      client,
      day,
      wrong.map(link => link.linkId),
    )
    const deltas = noDeltas()
    for (const { linkId, ofRawVisits } of wrong) addDelta(deltas, linkId, day, ofRawVisits)
    await insertDeltas(client, deltas)
    rebuilt += wrong.length
    wrong = []
  }
  for await (const link of differingBreakdowns(client, day))
    if (wrong.push(link) >= linksPerStatement) await replaceWrong()
  await replaceWrong()
  return rebuilt
}

async function deleteBreakdowns(client: PoolClient, day: number, linkIds: number[]): Promise<void> {
  for (const table of ['link_breakdowns', 'breakdown_deltas', 'breakdown_tails'] as const)
    await client.query(`DELETE FROM ${table} WHERE day = $1::date AND link_id = ANY ($2::bigint[])`, [
      dayText(day),
      bigintArray(linkIds),
    ])
}

/** Replaces rows that are wrong, or within an hour whose sum is wrong. */
async function rebuildQuarters(client: PoolClient, day: number, bucketMs: number): Promise<number> {
  await client.query(
    `CREATE TEMPORARY TABLE wrong_quarters ON COMMIT DROP AS
     SELECT link_id, quarter, raw.visits, raw.bots, raw.previews
     FROM day_quarters AS raw
     FULL JOIN (
       SELECT link_id, date_bin($2::integer * interval '1 millisecond', quarter, 'epoch'::timestamptz) AS quarter,
              sum(visits)::bigint AS visits, sum(bots)::bigint AS bots, sum(previews)::bigint AS previews
       FROM link_quarters
       WHERE quarter >= $1::date::timestamp AT TIME ZONE 'UTC'
         AND quarter < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
       GROUP BY 1, 2
     ) AS total USING (link_id, quarter)
     WHERE (raw.visits, raw.bots, raw.previews) IS DISTINCT FROM (total.visits, total.bots, total.previews)`,
    [dayText(day), bucketMs],
  )
  await client.query(
    `DELETE FROM link_quarters AS total USING wrong_quarters AS wrong
     WHERE total.link_id = wrong.link_id
       AND total.quarter >= wrong.quarter AND total.quarter < wrong.quarter + $1::integer * interval '1 millisecond'`,
    [bucketMs],
  )
  await client.query(
    `INSERT INTO link_quarters (link_id, quarter, visits, bots, previews)
     SELECT link_id, quarter, visits, bots, previews FROM wrong_quarters WHERE visits IS NOT NULL ORDER BY 1, 2`,
  )
  return countOf(client, 'wrong_quarters')
}

async function rebuildMinutes(client: PoolClient, day: number, from: number): Promise<number> {
  await client.query(
    `CREATE TEMPORARY TABLE wrong_minutes ON COMMIT DROP AS
     SELECT link_id, minute, raw.visits, raw.bots, raw.previews
     FROM day_minutes AS raw
     FULL JOIN (
       SELECT * FROM link_minutes
       WHERE minute >= greatest(to_timestamp($2::bigint / 1000.0), $1::date::timestamp AT TIME ZONE 'UTC')
         AND minute < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
     ) AS total USING (link_id, minute)
     WHERE (raw.visits, raw.bots, raw.previews) IS DISTINCT FROM (total.visits, total.bots, total.previews)`,
    [dayText(day), from],
  )
  await client.query(
    `DELETE FROM link_minutes AS total USING wrong_minutes AS wrong
     WHERE total.link_id = wrong.link_id AND total.minute = wrong.minute`,
  )
  await client.query(
    `INSERT INTO link_minutes (link_id, minute, visits, bots, previews)
     SELECT link_id, minute, visits, bots, previews FROM wrong_minutes WHERE visits IS NOT NULL ORDER BY 1, 2`,
  )
  return countOf(client, 'wrong_minutes')
}

async function countOf(client: PoolClient, table: 'wrong_quarters' | 'wrong_minutes'): Promise<number> {
  const { rows } = await client.query<{ wrong: number }>(`SELECT count(*) AS wrong FROM ${table}`)
  return rows[0]?.wrong ?? 0
}

/**
 * The first visit of links that have no earlier day, the last one of those that have no later day, and a row for links
 * that have none. Its counts are corrected once all days are (rebuild-totals.ts).
 */
async function rebuildFirstAndLast(client: PoolClient, day: number): Promise<number> {
  const result = await client.query(
    `INSERT INTO link_totals AS total (link_id, visits, bots, previews, uniques, first_visit, last_visit)
     SELECT link_id, visits, bots, previews, uniques, first_visit, last_visit
     FROM (
       SELECT raw.link_id, raw.visits, raw.bots, raw.previews, coalesce(raw.uniques, 0) AS uniques,
              CASE WHEN EXISTS (SELECT FROM link_days AS earlier WHERE earlier.link_id = raw.link_id AND earlier.day < $1::date)
                   THEN coalesce(stored.first_visit, (SELECT min(quarter) FROM link_quarters WHERE link_quarters.link_id = raw.link_id))
                   ELSE raw.first_visit END AS first_visit,
              CASE WHEN EXISTS (SELECT FROM link_days AS later WHERE later.link_id = raw.link_id AND later.day > $1::date)
                   THEN coalesce(stored.last_visit, raw.last_visit)
                   ELSE raw.last_visit END AS last_visit,
              stored.first_visit AS stored_first_visit, stored.last_visit AS stored_last_visit
       FROM day_links AS raw LEFT JOIN link_totals AS stored USING (link_id)
     ) AS wanted
     WHERE (first_visit, last_visit) IS DISTINCT FROM (stored_first_visit, stored_last_visit)
     ORDER BY link_id
     ON CONFLICT (link_id) DO UPDATE SET first_visit = excluded.first_visit, last_visit = excluded.last_visit`,
    [dayText(day)],
  )
  return result.rowCount ?? 0
}
