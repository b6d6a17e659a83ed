/**
 * Compares everything that is counted: each kept day with its raw visits, older days among each other, totals with
 * days, the ledger with totals. Empty when all agree.
 *
 * One snapshot, so recording may go on meanwhile; the tables that retention drops from are locked before it is taken.
 */
import type { Pool } from 'pg'
import { daysWithVisits, readKeptDays, sumOptions } from '../recount/kept-days.ts'
import { clearRawDay, createRawDay, readRawDay, sumRawDay } from '../recount/raw-day.ts'
import { compareDay } from './compare-day.ts'
import { compareOlderDays } from './compare-older-days.ts'
import { compareTotals } from './compare-totals.ts'
import type { Difference } from './difference-rows.ts'
import { maxDifferences } from './difference-rows.ts'

export async function compareCounts(pool: Pool, now = Date.now()): Promise<Difference[]> {
  const client = await pool.connect()
  let failed = true
  try {
    await client.query(
      'BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE visits, visitors IN ACCESS SHARE MODE',
    )
    const kept = await readKeptDays(client)
    const differences = await compareTotals(client, kept)
    differences.push(...(await compareOlderDays(client, kept)))
    await createRawDay(client)
    for (const day of await daysWithVisits(client, kept.rawVisitsFrom)) {
      if (differences.length >= maxDifferences) break
      const options = sumOptions(kept, day, now)
      await clearRawDay(client)
      await readRawDay(client, day)
      await sumRawDay(client, options)
      differences.push(...(await compareDay(client, day, options)))
    }
    await client.query('COMMIT')
    failed = false
    return differences.slice(0, maxDifferences)
  } finally {
    if (failed) await client.query('ROLLBACK').catch(() => {})
    client.release(failed)
  }
}
