import type { Pool } from 'pg'
import { deleteBefore, partitionDays } from '../day-partitions.ts'

/**
 * A visit kept from `beforeDay` on was recorded two days earlier at most, because its time is bounded by the database's
 * clock (bound-times.ts). Its worker had looked the text up a day earlier at most, in any time zone, and before the
 * transaction began. The rest is reserve.
 */
const reserveDays = 7

/**
 * Deletes texts that no raw visit refers to, once all raw visits of days before `beforeDay` are gone.
 *
 * A worker that is about to use a text first sets its day to today (number-texts.ts). If that happens at the same moment,
 * the row is locked by one of the two: either the deletion sees the new day and leaves the row, or the worker no longer
 * finds the text and numbers it anew. Numbers are never given again.
 */
export async function retireTexts(pool: Pool, beforeDay: number): Promise<void> {
  if ((await partitionDays(pool, 'visits', beforeDay)).length > 0) return
  await deleteBefore(
    pool,
    {
      name: 'delete-unused-texts',
      text: `DELETE FROM texts WHERE used_on < $1::date AND ctid = ANY (ARRAY(
               SELECT ctid FROM texts WHERE used_on < $1::date LIMIT $2))`,
    },
    beforeDay - reserveDays,
  )
}
