import type { Pool } from 'pg'

/** Long enough to notice a misprint in something that is printed four times a year. */
const keepDays = 90

/** Deletes older requests for unknown slugs, and returns the number of rows deleted. */
export async function forgetOrphans(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query({
    name: 'forget-orphans',
    text: `DELETE FROM orphan_visits WHERE day < (now() AT TIME ZONE 'UTC')::date - $1::integer`,
    values: [keepDays],
  })
  return rowCount ?? 0
}
