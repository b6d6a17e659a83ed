import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool } from 'pg'

/** Days whose partitions exist ahead: workers may be down for a week before visits go into the DEFAULT partition. */
const daysAhead = 8

/**
 * Makes the missing day partitions from yesterday on, and returns how many it made. Attaching one needs an exclusive lock
 * on the DEFAULT partition: if a long query (`npm run verify`) reads it, this gives up, so that others don't wait behind it.
 */
export async function ensureVisitPartitions(pool: Pool): Promise<number> {
  const result = await inTransaction(
    pool,
    client =>
      client.query<{ made: number }>({
        name: 'ensure-visit-partitions',
        text: `SELECT ensure_visit_partitions((now() AT TIME ZONE 'UTC')::date - 1, $1) AS made`,
        values: [daysAhead + 1],
      }),
    { first: `SET LOCAL lock_timeout = '800ms'` },
  )
  return result.rows[0]?.made ?? 0
}
