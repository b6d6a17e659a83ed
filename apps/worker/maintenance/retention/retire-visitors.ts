import { dayText, parseDay } from '@hopcount/shared/days.ts'
import type { Pool } from 'pg'
import { today } from '../database-clock.ts'
import { dropPartition, partitionDays } from '../day-partitions.ts'

/**
 * Destroys the visitors of a day, hashes and salt together, once the day after it is over, too: until then, late visits are
 * still matched with their visitors. Even later ones count as visits, but add no unique visitor. Returns the number of
 * days removed.
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
