/**
 * What a worker does besides recording: it makes day partitions ahead, keeps the ledger small, removes what is old, and
 * counts again what another release has recorded.
 * Any number of workers may run these jobs at once: each job locks what it works on, or finds it already done.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Configuration } from '@hopcount/shared/configuration/configuration.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import type { TextRoom } from '../recording/text-room.ts'
import { compactLedger } from './compact-ledger.ts'
import { ensureVisitPartitions } from './ensure-partitions.ts'
import { foldBreakdowns } from './fold-breakdowns.ts'
import { foldQuarters } from './fold-quarters.ts'
import { indexChangedLinks, indexLinks } from './index-links.ts'
import type { DayReclassifier } from './reclassify-days.ts'
import { createDayReclassifier } from './reclassify-days.ts'
import { forgetOrphans } from './retention/forget-orphans.ts'
import { retireCredentials } from './retention/retire-credentials.ts'
import { retireMinutes } from './retention/retire-minutes.ts'
import { retireVisitors } from './retention/retire-visitors.ts'
import { retireVisits } from './retention/retire-visits.ts'

const minuteMs = 60_000

export type MaintenanceSettings = Pick<Configuration, 'RETENTION_DAYS' | 'FOLD_QUARTERS_AFTER_DAYS'>

interface Job {
  name: string
  everyMs: number
  run: (pool: Pool, stop: AbortSignal) => Promise<unknown>
}

function jobsFor(settings: MaintenanceSettings, reclassifier: DayReclassifier, textRoom: TextRoom): Job[] {
  return [
    { name: 'counting texts', everyMs: minuteMs, run: pool => textRoom.count(pool) },
    { name: 'counting days again', everyMs: minuteMs, run: (_, stop) => reclassifier.run(stop) },
    { name: 'partitions', everyMs: 60 * minuteMs, run: ensureVisitPartitions },
    { name: 'folding breakdowns', everyMs: 10_000, run: foldBreakdowns },
    { name: 'ledger compaction', everyMs: 10_000, run: pool => compactLedger(pool) },
    { name: 'retiring visitors', everyMs: 5 * minuteMs, run: pool => retireVisitors(pool) },
    { name: 'retiring sessions', everyMs: 10 * minuteMs, run: pool => retireCredentials(pool) },
    { name: 'retiring minutes', everyMs: 60 * minuteMs, run: pool => retireMinutes(pool) },
    {
      name: 'retiring visits',
      everyMs: 10 * minuteMs,
      run: pool => retireVisits(pool, settings.RETENTION_DAYS),
    },
    { name: 'indexing links', everyMs: 10_000, run: indexLinks },
    { name: 'indexing changed links', everyMs: 2_000, run: indexChangedLinks },
    { name: 'forgetting orphan visits', everyMs: 60 * minuteMs, run: forgetOrphans },
    {
      name: 'folding quarter hours',
      everyMs: 60 * minuteMs,
      run: pool => foldQuarters(pool, settings.FOLD_QUARTERS_AFTER_DAYS),
    },
  ]
}

/** Starts all jobs. The returned function stops them, and resolves once none is running. */
export function startMaintenance(options: {
  pool: Pool
  /** As recountDay() needs it. */
  recountPool: Pool
  textRoom: TextRoom
  log: Log
  settings: MaintenanceSettings
}): () => Promise<void> {
  const { pool, recountPool, textRoom, log, settings } = options
  const stop = new AbortController()
  const loops = jobsFor(settings, createDayReclassifier(recountPool, log), textRoom).map(async job => {
    const health = createHealthLog(log, job.name)
    while (!stop.signal.aborted) {
      let delayMs = job.everyMs
      try {
        await job.run(pool, stop.signal)
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
