import { dayNumber, parseDay } from '@hopcount/shared/days.ts'
import type { Pool } from 'pg'

/**
 * Today by the database's clock: a worker whose own clock is a year ahead must not take last week's visits for old ones.
 *
 * @param now another moment, in milliseconds since 1970
 */
export async function today(pool: Pool, now?: number): Promise<number> {
  if (now !== undefined) return dayNumber(now)
  const { rows } = await pool.query<{ day: string }>({
    name: 'today',
    text: `SELECT (now() AT TIME ZONE 'UTC')::date AS day`,
  })
  if (rows[0] === undefined) throw new Error('the database has no clock')
  return parseDay(rows[0].day)
}
