/**
 * Folds old quarter hours into the rows of their hours. Sums do not change.
 *
 * A transaction folds one day of some links. It first locks their totals, sorted, as a worker does before it adds to
 * quarter hours (add-to-aggregates.ts): so the two never work on the same link at once, and wait in one order. Link 0,
 * whose rows every worker locks last, has a transaction of its own. Several workers may fold at once: the second one finds
 * nothing left to do.
 */
import { allLinks } from '@hopcount/shared/all-links.ts'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import { dayText, parseDay } from '@hopcount/shared/days.ts'
import type { Pool, PoolClient } from 'pg'
import { recountLock } from '../recount/recount-lock.ts'
import { today } from './database-clock.ts'

/** Bounds how long a worker waits for the totals of links. */
const linksPerTransaction = 500

/** Folds the quarter hours of days that are more than `afterDays` days ago. 0: never. Returns the number of rows folded. */
export async function foldQuarters(pool: Pool, afterDays: number, now?: number): Promise<number> {
  if (afterDays === 0) return 0
  const beforeDay = (await today(pool, now)) - afterDays
  // Comes first: from now on these days are compared by the hour.
  await pool.query({
    name: 'raise-quarters-from',
    text: `UPDATE retention SET quarters_from = $1::date
           WHERE quarters_from < $1::date`,
    values: [dayText(beforeDay)],
  })
  let folded = 0
  for (const day of await daysToFold(pool, beforeDay)) {
    const links = await linksToFold(pool, day)
    const parts: number[][] = []
    for (let i = 0; i < links.length; i += linksPerTransaction)
      parts.push(links.slice(i, i + linksPerTransaction))
    // Comes last, because these rows show that there is something to fold on that day.
    parts.push([allLinks])
    for (const part of parts) {
      const rows = await foldDay(pool, part, day)
      // The rest is folded by a later run.
      if (rows === undefined) return folded
      folded += rows
    }
  }
  return folded
}

/** Wherever a link has a row, so do all links together. */
async function daysToFold(pool: Pool, beforeDay: number): Promise<number[]> {
  const { rows } = await pool.query<{ day: string }>({
    name: 'days-to-fold',
    text: `SELECT DISTINCT (quarter AT TIME ZONE 'UTC')::date AS day FROM link_quarters
           WHERE link_id = ${allLinks} AND quarter < $1::date::timestamp AT TIME ZONE 'UTC'
             AND quarter <> date_bin('1 hour', quarter, 'epoch'::timestamptz)
           ORDER BY 1`,
    values: [dayText(beforeDay)],
  })
  return rows.map(row => parseDay(row.day))
}

async function linksToFold(pool: Pool, day: number): Promise<number[]> {
  const { rows } = await pool.query<{ link_id: number }>({
    name: 'links-to-fold',
    text: `SELECT link_id FROM link_days
           WHERE day = $1::date AND link_id <> ${allLinks}
             AND EXISTS (
               SELECT FROM link_quarters
               WHERE link_quarters.link_id = link_days.link_id
                 AND quarter >= $1::date::timestamp AT TIME ZONE 'UTC'
                 AND quarter < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
                 AND quarter <> date_bin('1 hour', quarter, 'epoch'::timestamptz))
           ORDER BY link_id`,
    values: [dayText(day)],
  })
  return rows.map(row => row.link_id)
}

/** Returns the number of rows folded, or undefined if a recount needs them to stay as they are. */
function foldDay(pool: Pool, sortedLinkIds: number[], day: number): Promise<number | undefined> {
  const fold = async (client: PoolClient) => {
    const lock = await client.query<{ free: boolean }>(
      `SELECT pg_try_advisory_xact_lock_shared(hashtext('${recountLock}')) AS free`,
    )
    if (!lock.rows[0]?.free) return undefined
    await client.query({
      name: 'lock-totals',
      text: 'SELECT FROM link_totals WHERE link_id = ANY($1::bigint[]) ORDER BY link_id FOR NO KEY UPDATE',
      values: [sortedLinkIds],
    })
    const { rows } = await client.query<{ removed: number }>({
      name: 'fold-quarters',
      text: `WITH removed AS (
               DELETE FROM link_quarters
               WHERE link_id = ANY($1::bigint[])
                 AND quarter >= $2::date::timestamp AT TIME ZONE 'UTC'
                 AND quarter < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'
                 AND quarter <> date_bin('1 hour', quarter, 'epoch'::timestamptz)
               RETURNING *
             ),
             added AS (
               INSERT INTO link_quarters AS total (link_id, quarter, visits, bots, previews)
               SELECT link_id, date_bin('1 hour', quarter, 'epoch'::timestamptz), sum(visits), sum(bots), sum(previews)
               FROM removed GROUP BY 1, 2 ORDER BY 1, 2
               ON CONFLICT (link_id, quarter) DO UPDATE SET
                 visits = total.visits + excluded.visits,
                 bots = total.bots + excluded.bots,
                 previews = total.previews + excluded.previews
             )
             SELECT count(*) AS removed FROM removed`,
      values: [sortedLinkIds, dayText(day)],
    })
    return rows[0]?.removed ?? 0
  }
  return inTransaction(pool, fold)
}
