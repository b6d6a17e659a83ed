import { dayText, parseDay } from '@hopcount/shared/days.ts'
import type { Pool } from 'pg'
import { today } from './database-clock.ts'
import { dropPartition, partitionDays } from './day-partitions.ts'

/**
 * Destroys who has come on a day, hashes and salt together, when the day after it has passed as well (UTC): until then
 * visits that were written late are told apart. What comes later still counts as a visit, and as nobody's.
 * Returns how many days went.
 */
export async function retireVisitors(pool: Pool, now?: number): Promise<number> {
  const beforeDay = (await today(pool, now)) - 1
  const salts = await pool.query<{ day: string }>({
    name: 'salts-before',
    text: `SELECT day FROM visitor_salts WHERE day < $1::date`,
    values: [dayText(beforeDay)],
  })
  const days = new Set([
    ...salts.rows.map(row => parseDay(row.day)),
    ...(await partitionDays(pool, 'visitors', beforeDay)),
  ])
  let retired = 0
  for (const day of [...days].sort((a, b) => a - b)) {
    const gone = await dropPartition(pool, 'visitors', day, client =>
      client.query(`DELETE FROM visitor_salts WHERE day = $1::date`, [dayText(day)]),
    )
    if (!gone) break
    retired++
  }
  return retired
}
