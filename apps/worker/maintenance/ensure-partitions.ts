import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool } from 'pg'

/** Days (UTC) whose partitions exist ahead: a worker may stand still for a week before visits fall into the DEFAULT partition. */
const daysAhead = 8

/**
 * Makes the missing day partitions from yesterday on; returns how many it made. Attaching one needs the DEFAULT partition
 * for itself: where somebody reads it for long (`pnpm verify`), it gives up, so that others don't wait behind it.
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
    `BEGIN; SET LOCAL lock_timeout = '800ms'`,
  )
  return result.rows[0]?.made ?? 0
}
