/**
 * Compares everything that is counted: days with their raw visits where these are kept, the aggregates of older days with
 * each other, totals with days, and the ledger with totals. Empty if all agree.
 *
 * It reads one snapshot, so recording may go on. The tables that retention drops partitions of are locked before the
 * snapshot is taken.
 */
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool, PoolClient } from 'pg'
import { daysWithVisits, readKeptDays, sumOptions } from '../recount/kept-days.ts'
import { clearRawDay, createRawDay, readRawDay, sumRawDay } from '../recount/raw-day.ts'
import { compareDay } from './compare-day.ts'
import { compareOlderDays } from './compare-older-days.ts'
import { compareTotals } from './compare-totals.ts'
import type { Difference } from './difference-rows.ts'
import { maxDifferences } from './difference-rows.ts'

export function compareCounts(pool: Pool, now = Date.now()): Promise<Difference[]> {
  return inTransaction(pool, client => compareAll(client, now), {
    isolation: 'REPEATABLE READ',
    first: 'LOCK TABLE visits, visitors IN ACCESS SHARE MODE',
  })
}

async function compareAll(client: PoolClient, now: number): Promise<Difference[]> {
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
  return differences.slice(0, maxDifferences)
}
