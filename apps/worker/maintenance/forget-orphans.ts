import type { Pool } from 'pg'

/** Long enough to notice a misprint in what is printed four times a year. */
const keepDays = 90

/** Deletes the requests for unknown slugs of days (UTC) that are older; returns how many rows went. */
export async function forgetOrphans(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query({
    name: 'forget-orphans',
    text: `DELETE FROM orphan_visits WHERE day < (now() AT TIME ZONE 'UTC')::date - $1::integer`,
    values: [keepDays],
  })
  return rowCount ?? 0
}
