/**
 * Counts the days whose raw visits are kept again, and the totals as sums of days. Days whose raw visits are gone stay as
 * they are, and so do unique visitors whose hashes are gone. For differences found by `npm run verify`, and for new rules
 * about bots, browsers and referrers (`npm run reclassify`). Recording goes on meanwhile (recount-day.ts).
 */
import type { Pool } from 'pg'
import { foldBreakdowns } from '../maintenance/fold-breakdowns.ts'
import { daysWithVisits, readKeptDays } from '../recount/kept-days.ts'
import type { RecountedDay } from '../recount/recount-day.ts'
import { recountDay, whileNothingFolds } from '../recount/recount-day.ts'
import { recountTotals } from '../recount/recount-totals.ts'

/** @param pool has three connections, and no limits that end a session while another one works */
export async function repairCounts(pool: Pool, now = Date.now()): Promise<RecountedDay> {
  const repaired: RecountedDay = {
    link_days: 0,
    link_breakdowns: 0,
    link_quarters: 0,
    link_minutes: 0,
    link_totals: 0,
  }
  // Otherwise deltas that wait to be folded would count as repaired.
  await foldBreakdowns(pool)
  const days = await daysWithVisits(pool, (await readKeptDays(pool)).rawVisitsFrom)
  for (const day of days) {
    add(repaired, (await whileNothingFolds(pool, () => recountDay(pool, day, { now }))) ?? {})
    await foldBreakdowns(pool)
  }
  add(repaired, await whileNothingFolds(pool, () => recountTotals(pool)))
  return repaired
}

function add(to: RecountedDay, rows: Partial<RecountedDay>): void {
  for (const table of Object.keys(to) as (keyof RecountedDay)[]) to[table] += rows[table] ?? 0
}
