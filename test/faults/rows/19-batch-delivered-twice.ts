import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { VisitJob } from '../../../apps/shared/visits/visit-batch.ts'
import { batchKey, parseVisitJob } from '../../../apps/shared/visits/visit-batch.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { duplicateBatches, stopIdleWorkers, waitUntilIdle } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** Two workers, one with a slow connection to the database: while it holds a batch, the other gets the same one, and later both again. */
export const batchDeliveredTwice: Row = {
  number: 19,
  title: 'a batch delivered twice, concurrently and after its job was removed: counted once',
  system: { proxied: true, workers: 0 },
  async round(system, context) {
    const { workerPostgres } = system.proxies
    const redis = new Redis(system.redis.url)
    const seen = new Map<string, VisitJob>()
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        await waitUntil(async () => (await system.queue.counts()).waiting > 5, { what: 'batches wait' })
        for (const key of await redis.keys('{hopcount}:visit-batches:*-7*')) {
          const job = await system.queue.find(key.split(':')[2] ?? '')
          const data = parseVisitJob(job?.data)
          if (data !== undefined) seen.set(batchKey(data), data)
        }
        workerPostgres.setMode({ delayMs: 60 })
        await system.startWorker()
        await system.startWorker({ DATABASE_URL: system.databaseUrl })
        await waitUntil(async () => (await system.queue.counts()).active > 0, {
          what: 'a worker holds batches',
          everyMs: 1,
        }).catch(() => {})
        // The queue forgets which batches it has handed out, and hands them out again.
        await redis.flushall()
        await Promise.all([...seen.values()].map(job => system.queue.add(job)))
      },
      lasts: () => sleep(500),
      heal: () => workerPostgres.setMode('pass'),
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000 },
    })
    // Only now, because the queue ignores jobs that it still holds; duplicates during the fault are in the metric already.
    await waitUntilIdle(system)
    const before = await duplicateBatches(system.workers)
    await Promise.all([...seen.values()].map(job => system.queue.add(job)))
    await waitUntil(async () => (await duplicateBatches(system.workers)) >= before + seen.size, {
      what: `${seen.size} batches are delivered again`,
    })
    redis.disconnect()
    await stopIdleWorkers(system)
    return result
  },
}
