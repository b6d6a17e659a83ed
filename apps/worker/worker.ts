import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkRedis } from '@hopcount/shared/check-redis.ts'
import type { Configuration } from '@hopcount/shared/configuration/configuration.ts'
import { directAddress, directDatabaseUrl } from '@hopcount/shared/configuration/configuration.ts'
import { openPool, poolConfig } from '@hopcount/shared/database/database.ts'
import { waitForDatabase } from '@hopcount/shared/database/wait-for-database.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import { claimQueueKey } from '@hopcount/shared/visits/claim-queue-key.ts'
import { createKeyRing } from '@hopcount/shared/visits/key-ring.ts'
import { describeSetAside, setAsideInLedger } from '@hopcount/shared/visits/set-aside-counts.ts'
import { startVisitWorker } from '@hopcount/shared/visits/start-visit-worker.ts'
import { openVisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { Pool } from 'pg'
import { startMaintenance } from './maintenance/maintenance.ts'
import { yieldToRedirects } from './priority/yield-to-redirects.ts'
import { createMissingKeys } from './recording/jobs/missing-keys.ts'
import type { SharedSpool } from './recording/jobs/open-job.ts'
import { createJobRecorder } from './recording/jobs/record-jobs.ts'
import { createWorkerMetrics } from './recording/jobs/worker-metrics.ts'
import { createTextRoom } from './recording/text-room.ts'
import { openVisitKnowledge } from './recording/visit-knowledge.ts'
import { recountPoolConfig } from './recount/recount-pool.ts'
import { serveHealth } from './serve-health.ts'
import { createProgressWatch } from './watch-progress.ts'

export interface RunningWorker {
  metricsPort: number
  /** Finishes the jobs under way or returns them to the queue, then closes. Takes at most about 12 s. */
  stop(): Promise<void>
}

/** Jobs that take longer than this to finish are left to another worker. */
const finishDeadlineMs = 8_000
const closeDeadlineMs = 3_000

/** Starts recording. If the queue is unavailable, the worker waits for it and logs that once. */
export async function startWorker(configuration: Configuration, log: Log): Promise<RunningWorker> {
  const priority = yieldToRedirects(configuration.RECORDING_NICE, log)
  const missingKeys = createMissingKeys(log)
  const textRoom = createTextRoom(configuration.TEXTS_MAX)
  const databaseHealth = createHealthLog(log, 'database connection')
  const pooled = configuration.DIRECT_DATABASE_URL !== undefined
  const pool = openPool(
    poolConfig(configuration.DATABASE_URL, {
      max: 6,
      applicationName: 'hopcount worker',
      statementTimeoutMs: 15_000,
      pooled,
    }),
    error => databaseHealth.fails(error),
  )
  pool.on('connect', client => {
    databaseHealth.works()
    priority.lowerBackend(client)
  })
  const recountPool = openPool(
    recountPoolConfig(directDatabaseUrl(configuration), 'hopcount worker'),
    error => databaseHealth.fails(error),
  )
  recountPool.on('connect', priority.lowerBackend)
  /** While the database is away, none: the outage is said elsewhere. */
  const setAside = () => setAsideInLedger(pool).catch(() => 0)
  const metrics = createWorkerMetrics(missingKeys, textRoom, setAside)
  if (configuration.REDIS_URL !== undefined)
    await checkRedis({ url: configuration.REDIS_URL, name: 'REDIS_URL' }, log)
  await waitForDatabase(pool, { direct: directAddress(configuration) })
  const knowledge = await openVisitKnowledge(pool, { geoDatabase: configuration.GEO_DATABASE, textRoom })
  const location = {
    redisUrl: configuration.REDIS_URL,
    databaseUrl: directDatabaseUrl(configuration),
    onConnected: priority.lowerBackend,
  }
  const spool = location.redisUrl === undefined ? await openSpool(pool, configuration.SPOOL_DIR) : undefined
  const recorder = createJobRecorder({
    pool,
    concurrency: configuration.WORKER_CONCURRENCY,
    knowledge,
    spool,
    missingKeys,
    log,
    metrics,
  })
  const stopMaintenance = startMaintenance({ pool, recountPool, textRoom, log, settings: configuration })
  // The worker itself logs outages of the queue.
  const queue = openVisitQueue(location, log.child({}, { level: 'silent' }))
  const progress = createProgressWatch(queue)
  const worker = startVisitWorker(
    location,
    { concurrency: configuration.WORKER_CONCURRENCY, log },
    progress.watch(recorder.record),
  )

  const server = await serveHealth(
    {
      registry: metrics.registry,
      problems: async () =>
        [missingKeys.problem(), await progress.problem()].filter(problem => problem !== undefined),
      warnings: async () => [
        ...[textRoom.warning()].filter(warning => warning !== undefined),
        ...describeSetAside({ ledger: await setAside(), queue: 0, spool: 0, damaged: 0 }),
      ],
    },
    { host: configuration.HOST, port: configuration.WORKER_METRICS_PORT },
  )

  async function stop(): Promise<void> {
    const closing = worker.close().catch(() => {})
    await Promise.race([closing, sleep(finishDeadlineMs, undefined, { ref: false })])
    recorder.stopWaiting()
    await Promise.race([
      Promise.all([closing, queue.close().catch(() => {})]),
      sleep(closeDeadlineMs, undefined, { ref: false }),
    ])
    server.close()
    server.closeAllConnections()
    await Promise.race([
      stopMaintenance().then(() => Promise.all([pool.end(), recountPool.end()])),
      sleep(1_000, undefined, { ref: false }),
    ])
  }
  return { metricsPort: (server.address() as AddressInfo).port, stop }
}

async function openSpool(pool: Pool, path: string): Promise<SharedSpool> {
  return { path, keys: createKeyRing(path, await claimQueueKey(pool, path)) }
}
