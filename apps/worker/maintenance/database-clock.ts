import type { Pool } from 'pg'
import { dayOf } from '../recording/describe-visits.ts'

/**
 * Today (UTC), as days since 1970, by the database's clock: a worker whose own is a year ahead must not take the visits
 * of last week for old ones. `now`: another moment, in milliseconds since 1970.
 */
export async function today(pool: Pool, now?: number): Promise<number> {
  if (now !== undefined) return dayOf(now)
  const { rows } = await pool.query<{ day: number }>({
    name: 'today',
    text: `SELECT (now() AT TIME ZONE 'UTC')::date - '1970-01-01'::date AS day`,
  })
  if (rows[0] === undefined) throw new Error('the database has no clock')
  return rows[0].day
}
