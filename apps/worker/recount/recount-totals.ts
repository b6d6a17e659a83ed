/**
 * Sets totals to the sums of days, while recording goes on: one statement reads days and totals in one snapshot, and adds
 * their difference to what the totals have become (see recount-day.ts).
 */
import { allLinks } from '@hopcount/shared/all-links.ts'
import type { Pool } from 'pg'

const linksPerStatement = 10_000

/** The number of corrected rows, by table. */
export interface RecountedTotals {
  link_breakdowns: number
  link_totals: number
}

/** @param onlyClasses changes no visits: totals that disagree with their days in visits stay as they are */
export async function recountTotals(
  pool: Pool,
  { onlyClasses = false }: { onlyClasses?: boolean } = {},
): Promise<RecountedTotals> {
  const recounted: RecountedTotals = { link_breakdowns: 0, link_totals: 0 }
  const recount = async (from: number, to: number) => {
    if (!onlyClasses) recounted.link_breakdowns += await deleteLoose(pool, from, to)
    recounted.link_totals += await addTotals(pool, from, to, onlyClasses)
  }
  let from = await nextLink(pool, allLinks + 1)
  while (from !== undefined) {
    await recount(from, from + linksPerStatement)
    from = await nextLink(pool, from + linksPerStatement)
  }
  // Comes last, in a statement of its own: recording locks this row after those of links.
  await recount(allLinks, allLinks + 1)
  return recounted
}

/** The first link from this id on that has any row: ids may have wide gaps. */
async function nextLink(pool: Pool, from: number): Promise<number | undefined> {
  const { rows } = await pool.query<{ next: number | null }>({
    name: 'next-link',
    text: `SELECT least((SELECT min(link_id) FROM link_totals WHERE link_id >= $1),
                        (SELECT min(link_id) FROM link_days WHERE link_id >= $1),
                        (SELECT min(link_id) FROM link_breakdowns WHERE link_id >= $1)) AS next`,
    values: [from],
  })
  return rows[0]?.next ?? undefined
}

/** Breakdowns of days without visits. */
async function deleteLoose(pool: Pool, from: number, to: number): Promise<number> {
  const loose = await pool.query(
    `DELETE FROM link_breakdowns AS stored
     WHERE link_id >= $1 AND link_id < $2
       AND NOT EXISTS (SELECT FROM link_days WHERE link_days.link_id = stored.link_id AND link_days.day = stored.day)`,
    [from, to],
  )
  await pool.query(
    `DELETE FROM breakdown_tails AS tail
     WHERE link_id >= $1 AND link_id < $2
       AND NOT EXISTS (SELECT FROM link_days WHERE link_days.link_id = tail.link_id AND link_days.day = tail.day)`,
    [from, to],
  )
  return loose.rowCount ?? 0
}

/** The days of a link without a total have lost their raw visits: its first and last visit are known to the quarter hour. */
async function addTotals(pool: Pool, from: number, to: number, onlyClasses: boolean): Promise<number> {
  const added = await pool.query(
    `INSERT INTO link_totals AS total (link_id, visits, bots, previews, uniques, first_visit, last_visit)
     SELECT link_id, coalesce(days.visits, 0) - coalesce(stored.visits, 0), coalesce(days.bots, 0) - coalesce(stored.bots, 0),
            coalesce(days.previews, 0) - coalesce(stored.previews, 0), coalesce(days.uniques, 0) - coalesce(stored.uniques, 0),
            coalesce(stored.first_visit, (SELECT min(quarter) FROM link_quarters WHERE link_quarters.link_id = days.link_id), first_day AT TIME ZONE 'UTC'),
            coalesce(stored.last_visit, (SELECT max(quarter) FROM link_quarters WHERE link_quarters.link_id = days.link_id), last_day AT TIME ZONE 'UTC')
     FROM (
       SELECT link_id, sum(visits)::bigint AS visits, sum(bots)::bigint AS bots, sum(previews)::bigint AS previews,
              sum(uniques)::bigint AS uniques, min(day)::timestamp AS first_day, max(day)::timestamp AS last_day
       FROM link_days WHERE link_id >= $1 AND link_id < $2 GROUP BY link_id
     ) AS days
     FULL JOIN (SELECT * FROM link_totals WHERE link_id >= $1 AND link_id < $2) AS stored USING (link_id)
     WHERE (days.visits, days.bots, days.previews, days.uniques)
             IS DISTINCT FROM (stored.visits, stored.bots, stored.previews, stored.uniques)
       AND (NOT $3::boolean OR days.visits = stored.visits)
     ORDER BY link_id
     ON CONFLICT (link_id) DO UPDATE SET
       visits = total.visits + excluded.visits, bots = total.bots + excluded.bots,
       previews = total.previews + excluded.previews, uniques = total.uniques + excluded.uniques`,
    [from, to, onlyClasses],
  )
  if (!onlyClasses && (added.rowCount ?? 0) > 0)
    await pool.query('DELETE FROM link_totals WHERE link_id >= $1 AND link_id < $2 AND visits = 0', [
      from,
      to,
    ])
  return added.rowCount ?? 0
}
