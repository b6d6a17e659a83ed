import { dayText } from '@hopcount/shared/days.ts'
import type { Pool } from 'pg'
import { today } from '../database-clock.ts'
import { deleteBefore, dropPartitionsBefore } from '../day-partitions.ts'
import { retireTexts } from './retire-texts.ts'

/**
 * Removes raw visits of days (UTC) that lie wholly before the last `retentionDays` times 24 hours, and the tails of their
 * breakdowns, and then texts that none of the others refers to; 0: never. Totals, series and listed values stay. Later visits of such a day are counted like all others,
 * and removed at the next run. Returns how many days were removed.
 */
export async function retireVisits(pool: Pool, retentionDays: number, now?: number): Promise<number> {
  if (retentionDays === 0) return 0
  const beforeDay = (await today(pool, now)) - retentionDays
  // Comes first: from now on nobody expects these days to be complete.
  await pool.query({
    name: 'raise-raw-visits-from',
    text: `UPDATE retention SET raw_visits_from = $1::date
           WHERE raw_visits_from < $1::date`,
    values: [dayText(beforeDay)],
  })
  await deleteBefore(
    pool,
    {
      name: 'delete-old-breakdown-tails',
      text: `DELETE FROM breakdown_tails WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM breakdown_tails WHERE day < $1::date LIMIT $2))`,
    },
    beforeDay,
  )
  const dropped = await dropPartitionsBefore(pool, 'visits', beforeDay)
  await deleteBefore(
    pool,
    {
      name: 'delete-old-visits',
      text: `DELETE FROM visits_default WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM visits_default
               WHERE visited_at < $1::date::timestamp AT TIME ZONE 'UTC' LIMIT $2))`,
    },
    beforeDay,
  )
  await retireTexts(pool, beforeDay)
  return dropped
}
