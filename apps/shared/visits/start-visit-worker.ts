/** The worker's end of the queue between API and worker (visit-queue.ts). */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Job, WorkerOptions } from 'bullmq'
import { Worker } from 'bullmq'
import type { Log } from '../log.ts'
import { createHealthLog } from '../log.ts'
import { openQueuePool, postgresBackend } from './queue-in-postgres.ts'
import type { QueueLocation } from './visit-queue.ts'
import { queueName, reconnectDelay, redisQueueOptions } from './visit-queue.ts'

/**
 * A worker closes a connection on which a response is this late: it may have died without a sign (a cut cable, a
 * forgetful NAT). The longest that BullMQ lets a command wait on purpose is 10 s. A connection that is made while the
 * network is silent costs this much once more, after its end.
 */
const silenceMs = 12_000
const runAgainAfterMs = 1_000

/** Gives each job to `record`. Waits for a queue that is away, and logs that once. */
export function startVisitWorker(
  location: QueueLocation,
  options: { concurrency: number; log: Log },
  record: (job: Job, token: string | undefined) => Promise<void>,
): Worker {
  const workerOptions = {
    concurrency: options.concurrency,
    lockDuration: 10_000,
    stalledInterval: 5_000,
    // However often a job's worker dies, the job is given to another one: the ledger knows what is counted.
    maxStalledCount: 1_000_000,
    runRetryDelay: 1_000,
    removeOnComplete: { count: 0 },
    autorun: false,
  } satisfies Partial<WorkerOptions>
  const worker: Worker = location.redisUrl
    ? new Worker(queueName, record, {
        ...redisQueueOptions,
        ...workerOptions,
        connection: {
          url: location.redisUrl,
          maxRetriesPerRequest: null,
          socketTimeout: silenceMs,
          retryStrategy: reconnectDelay,
        },
        skipVersionCheck: true,
      })
    : (new Worker(
        queueName,
        record,
        {
          ...workerOptions,
          connection: openQueuePool(location.databaseUrl, {
            max: 5,
            queryTimeoutMs: silenceMs,
            // The job is given to a worker again, and the ledger holds its batch.
            synchronousCommit: 'off',
            onConnected: location.onConnected,
          }),
        },
        postgresBackend,
      ) as unknown as Worker)
  const health = createHealthLog(options.log, 'queue connection')
  worker.on('error', error => health.fails(error))
  worker.on('ready', () => health.works())
  worker.on('active', () => health.works())
  void keepRunning(worker, health.fails)
  return worker
}

/** Where PostgreSQL carries the queue and is unavailable at this moment, run() rejects, and BullMQ does not try again. */
async function keepRunning(worker: Worker, onFailure: (error: unknown) => void): Promise<void> {
  let closing = false
  worker.once('closing', () => {
    closing = true
  })
  while (!closing) {
    try {
      await worker.run()
      return
    } catch (error) {
      onFailure(error)
      await sleep(runAgainAfterMs)
    }
  }
}
