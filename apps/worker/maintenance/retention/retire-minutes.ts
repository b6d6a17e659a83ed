import type { Pool } from 'pg'
import { today } from '../database-clock.ts'
import { deleteBefore, dropPartitionsBefore } from '../day-partitions.ts'

/** Statistics show the minutes of the last 48 hours, which touch three days. One more day is kept. */
const keptDays = 3

/** Removes minutes that are no longer shown. Their quarter hours stay. Returns the number of days removed. */
export async function retireMinutes(pool: Pool, now?: number): Promise<number> {
  const beforeDay = (await today(pool, now)) - keptDays
  const dropped = await dropPartitionsBefore(pool, 'link_minutes', beforeDay)
  await deleteBefore(
    pool,
    {
      name: 'delete-old-minutes',
      text: `DELETE FROM link_minutes_default WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM link_minutes_default
               WHERE minute < $1::date::timestamp AT TIME ZONE 'UTC' LIMIT $2))`,
    },
    beforeDay,
  )
  return dropped
}
