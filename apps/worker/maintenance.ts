/**
 * What a worker does beside recording: day partitions made ahead, and a small ledger.
 * Any number of workers may do it at once; each job takes an advisory lock.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import { compactLedger } from './compact-ledger.ts'
import { ensureVisitPartitions } from './visit-partitions.ts'

const jobs = [
  { name: 'partitions', everyMs: 60 * 60 * 1_000, run: ensureVisitPartitions },
  { name: 'ledger compaction', everyMs: 10_000, run: compactLedger },
]

/** Starts all jobs; the returned function stops them and resolves when none is under way. */
export function startMaintenance(pool: Pool, log: Log): () => Promise<void> {
  const stop = new AbortController()
  const loops = jobs.map(async job => {
    const health = createHealthLog(log, job.name)
    while (!stop.signal.aborted) {
      let delayMs = job.everyMs
      try {
        await job.run(pool)
        health.works()
      } catch (error) {
        health.fails(error)
        delayMs = Math.min(delayMs, 10_000)
      }
      await sleep(delayMs, undefined, { signal: stop.signal }).catch(() => {})
    }
  })
  return async () => {
    stop.abort()
    await Promise.all(loops)
  }
}
