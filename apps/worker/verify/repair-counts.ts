/**
 * Rebuilds the aggregates of the days whose raw visits are kept, and the totals as sums of days. Days whose raw visits are
 * gone stay as they are, and so do unique visitors whose hashes are gone. For differences found by `npm run verify`, and
 * for new rules about bots, browsers and referrers (`npm run reclassify`).
 *
 * Each day is one transaction, and so are the totals of some links. Recording waits at the ledger while one of them runs
 * (some 20 µs of CPU time per visit), redirects do not. Between transactions, what has been rebuilt is correct.
 */
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool, PoolClient } from 'pg'
import { foldBreakdowns } from '../maintenance/fold-breakdowns.ts'
import { daysWithVisits, readKeptDays, sumOptions } from '../recount/kept-days.ts'
import { createRawDay, readRawDay, sumRawDay } from '../recount/raw-day.ts'
import { rebuildDay } from '../recount/recount-day.ts'
import { rebuildTotals } from '../recount/recount-totals.ts'

/** The number of corrected rows, by table. */
export interface Repaired {
  link_days: number
  link_breakdowns: number
  link_quarters: number
  link_minutes: number
  link_totals: number
}

const linksPerTransaction = 50_000

export async function repairCounts(pool: Pool, now = Date.now()): Promise<Repaired> {
  const repaired: Repaired = {
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
    await whileRecordingWaits(pool, async client => {
      const kept = await readKeptDays(client)
      // Retired in the meantime.
      if (day < kept.rawVisitsFrom) return
      const options = sumOptions(kept, day, now)
      await createRawDay(client)
      await readRawDay(client, day)
      await sumRawDay(client, options)
      add(repaired, await rebuildDay(client, day, options))
    })
  }
  await foldBreakdowns(pool)
  const lastLink = await lastLinkId(pool)
  for (let from = 0; from <= lastLink; from += linksPerTransaction) {
    await whileRecordingWaits(pool, async client => {
      add(repaired, await rebuildTotals(client, from, from + linksPerTransaction))
    })
  }
  return repaired
}

function add(to: Repaired, rows: Partial<Repaired>): void {
  for (const table of Object.keys(to) as (keyof Repaired)[]) to[table] += rows[table] ?? 0
}

async function lastLinkId(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ last: number }>(
    `SELECT greatest((SELECT max(link_id) FROM link_totals), (SELECT max(link_id) FROM link_days), (SELECT max(link_id) FROM link_breakdowns), 0) AS last`,
  )
  return rows[0]?.last ?? 0
}

/**
 * Runs in a transaction that overlaps with no worker's and no folding of quarter hours: both lock the ledger first. The
 * tables that retention drops partitions of are locked before the ledger, so that a drop that waits for a worker is never
 * in the way.
 */
function whileRecordingWaits(pool: Pool, rebuild: (client: PoolClient) => Promise<void>): Promise<void> {
  return inTransaction(
    pool,
    async client => {
      await client.query('LOCK TABLE ledger IN SHARE ROW EXCLUSIVE MODE')
      await rebuild(client)
    },
    'BEGIN; LOCK TABLE visits, visitors, link_minutes IN ACCESS SHARE MODE',
  )
}
