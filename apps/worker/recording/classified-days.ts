/**
 * How many visits of each day this release's rules have classified. Workers of another release don't count here, so what
 * they have recorded shows as the difference to the day's visits (maintenance/reclassify-days.ts).
 */
import { bigintArray, dateArray } from '@hopcount/shared/database/binary-arrays.ts'
import type { Pool, PoolClient } from 'pg'

/**
 * The version of the rules by which visits are classified and described: shared/agents, shared/sources, and describe/.
 * Raise it by one in a release in which they give another result for any visit. Workers then count the days whose raw
 * visits are kept again.
 */
export const rulesVersion = 2

/** Days are sorted, and come after everything else that the transaction locks. */
export async function addToClassifiedDays(
  client: Pool | PoolClient,
  days: { times: number[]; visits: number[] },
): Promise<void> {
  await client.query({
    name: 'add-to-classified-days',
    text: `INSERT INTO classified_days AS total (day, rules, visits)
           SELECT day, $3::integer, visits FROM unnest($1::date[], $2::bigint[]) AS sum (day, visits)
           ORDER BY day
           ON CONFLICT (day, rules) DO UPDATE SET visits = total.visits + excluded.visits`,
    values: [dateArray(days.times), bigintArray(days.visits), rulesVersion],
  })
}
