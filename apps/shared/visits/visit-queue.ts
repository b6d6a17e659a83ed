/**
 * The queue between API and worker: BullMQ on Redis, or on PostgreSQL where no Redis is configured.
 *
 * The queue is only transport. The ledger alone knows what is counted, so a job that is lost, fails or runs twice changes
 * no count: the producer keeps a batch until the ledger holds it, and adds it again under the same job id.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Job, QueueOptions } from 'bullmq'
import { Queue } from 'bullmq'
import type { Log } from '../log.ts'
import { createHealthLog, errorText } from '../log.ts'
import { packFrames } from './pack-frames.ts'
import type { AwaitWrites, QueueDurability } from './queue-durability.ts'
import { chooseAwaitWrites, QueueUnfit } from './queue-durability.ts'
import { openQueuePool, postgresBackend } from './queue-in-postgres.ts'
import type { QueueKey } from './queue-key.ts'
import { isInSpool, referToSegment } from './spooled-frames.ts'
import type { BatchId, VisitJob } from './visit-batch.ts'
import { batchKey } from './visit-batch.ts'

/**
 * The name stands for the format of the jobs: workers of the previous release read `visits`, and would set aside what
 * they can't unpack. Producers send again to this queue what was left in that one.
 */
export const queueName = 'visit-batches'
/** A hash tag, so that all keys of the queue lie in one slot of a Redis Cluster. */
const keyPrefix = '{hopcount}'

export interface QueueLocation {
  redisUrl: string | undefined
  databaseUrl: string
  /** Called with each connection that the queue opens to PostgreSQL, if that carries it. */
  onConnected?: (client: unknown) => void
}

/** The job was never sent: the queue certainly does not have it. */
export class QueueNotReached extends Error {}

export interface VisitQueue {
  /** A batch's frames in the form that a job carries. */
  pack(frames: Buffer): string
  /**
   * A job for a batch whose sealed segment has exactly so many visits, without its frames. Undefined where workers may not
   * have the spool: where Redis carries the queue.
   */
  refer(batch: BatchId, visits: number): VisitJob | undefined
  /**
   * False if workers may be unable to open the job: it is encrypted with another key than ours, or a worker has returned it
   * because it could not read the segment.
   */
  isOpenable(job: Job): Promise<boolean>
  /**
   * Adds one batch. Adding a batch that the queue already holds changes nothing.
   * Throws QueueNotReached when the job was not sent; after any other error nobody knows whether the queue has it.
   */
  add(job: VisitJob): Promise<void>
  /**
   * The same, and resolves only when the batch has got as far in Redis as is configured (queue-durability.ts). Throws
   * QueueUnfit, before anything is sent, if this Redis can't do that.
   */
  addDurably(job: VisitJob): Promise<void>
  /** Throws QueueUnfit; or something else, if Redis can't be reached. */
  checkDurability(): Promise<void>
  /** Jobs by state. */
  counts(): Promise<{ waiting: number; active: number; delayed: number; failed: number }>
  /** All jobs in this state, oldest first; those that enter or leave it meanwhile may be missed. */
  jobs(state: 'failed' | 'delayed'): AsyncIterable<Job>
  find(jobId: string): Promise<Job | undefined>
  /** Resolves when the queue responds; rejects after `addDeadlineMs`. */
  ready(): Promise<void>
  close(): Promise<void>
}

const addDeadlineMs = 3_000
/** Each has up to 256 KiB of visits, compressed. */
const pageOfJobs = 100

/**
 * @param key encrypts batches where PostgreSQL carries the queue (claim-queue-key.ts); only needed to add some
 * @param durability for addDurably
 */
export function openVisitQueue(
  location: QueueLocation,
  log: Log,
  key?: QueueKey,
  durability: QueueDurability = { replicas: 0, fsync: false },
): VisitQueue {
  const queue: Queue = location.redisUrl
    ? new Queue(queueName, {
        ...redisQueueOptions,
        connection: {
          url: location.redisUrl,
          enableOfflineQueue: false,
          maxRetriesPerRequest: 0,
          commandTimeout: addDeadlineMs,
          socketTimeout: addDeadlineMs,
          retryStrategy: reconnectDelay,
        },
        skipWaitingForReady: true,
        skipVersionCheck: true,
        // Nobody reads BullMQ's event stream, which would take up Redis memory.
        streams: { events: { maxLen: 10 } },
      })
    : (new Queue(
        queueName,
        {
          connection: openQueuePool(location.databaseUrl, {
            max: 2,
            queryTimeoutMs: addDeadlineMs,
            synchronousCommit: 'on',
            onConnected: location.onConnected,
          }),
        },
        postgresBackend,
      ) as unknown as Queue)
  const health = createHealthLog(log, 'queue connection')
  queue.on('error', error => health.fails(error))
  let awaitWrites: AwaitWrites | undefined

  async function add(job: VisitJob): Promise<void> {
    try {
      await queue.add('batch', key === undefined ? job : { key: key.fingerprint, ...job }, {
        jobId: batchKey(job),
        removeOnComplete: true,
        // The worker fails only what it can't record. It waits for the end of an outage inside the job.
        attempts: 1_000_000,
        backoff: { type: 'fixed', delay: 1_000 },
      })
      health.works()
    } catch (error) {
      health.fails(error)
      throw neverSent(error) ? new QueueNotReached('queue not reached', { cause: error }) : error
    }
  }

  async function checkDurability(): Promise<void> {
    awaitWrites ??= await chooseAwaitWrites(await queue.getBackend().client, durability)
  }

  async function addDurably(job: VisitJob): Promise<void> {
    try {
      await checkDurability()
    } catch (error) {
      health.fails(error)
      throw error instanceof QueueUnfit ? error : new QueueNotReached('queue not reached', { cause: error })
    }
    await add(job)
    try {
      await awaitWrites?.(await queue.getBackend().client)
    } catch (error) {
      health.fails(error)
      throw error
    }
  }

  return {
    add,
    addDurably,
    checkDurability,
    pack(frames) {
      if (!location.redisUrl && key === undefined) throw new Error('the queue was opened without its key')
      return packFrames(frames, key?.secret)
    },
    refer: (batch, visits) => (key === undefined ? undefined : referToSegment(batch, visits)),
    async isOpenable(job) {
      if (isInSpool(Object(job.data))) return !(await job.isDelayed())
      return key === undefined || Object(job.data).key === key.fingerprint
    },
    async counts() {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed')
      return {
        waiting: counts.waiting ?? 0,
        active: counts.active ?? 0,
        delayed: counts.delayed ?? 0,
        failed: counts.failed ?? 0,
      }
    },
    async *jobs(state) {
      for (let from = 0; ; from += pageOfJobs) {
        const jobs: (Job | undefined)[] = await queue.getJobs([state], from, from + pageOfJobs - 1, true)
        // The queue's lists may name a job whose data is lost.
        yield* jobs.filter(job => job !== undefined)
        if (jobs.length < pageOfJobs) return
      }
    },
    find: jobId => queue.getJob(jobId),
    async ready() {
      for (const deadline = performance.now() + addDeadlineMs; ; await sleep(50)) {
        try {
          await queue.getJobCounts('waiting')
          return
        } catch (error) {
          if (performance.now() > deadline)
            throw new QueueNotReached(
              `the queue in ${location.redisUrl ? 'Redis (REDIS_URL)' : 'PostgreSQL'} can not be reached`,
              { cause: error },
            )
        }
      }
    },
    async close() {
      try {
        await queue.close()
      } catch (error) {
        // Redis is away, and BullMQ would go on trying to reach it: the process would not end. Not awaited: it never resolves then.
        log.debug({ reason: errorText(error) }, 'the queue was not connected')
        queue.disconnect().catch(() => {})
      }
    },
  }
}

export const redisQueueOptions = { prefix: keyPrefix } satisfies Partial<QueueOptions>

/** From 50 ms to 1 s: the end of an outage is noticed within a second. */
export function reconnectDelay(attempt: number): number {
  return Math.min(50 * 2 ** attempt, 1_000)
}

/** ioredis rejects with this message a command that it has not written to the socket (`enableOfflineQueue: false`). */
function neverSent(error: unknown): boolean {
  return error instanceof Error && error.message.includes("Stream isn't writeable")
}
