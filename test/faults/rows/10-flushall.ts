import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { waitUntil } from '../../support/wait-until.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** In even rounds the worker is stopped first, so that a backlog is flushed; in odd rounds it is running. */
export const flushAll: Row = {
  number: 10,
  title: 'FLUSHALL: lost batches are added again within 30 s',
  async round(system, context) {
    const worker = system.workers[0]
    return strikeUnderLoad(system, context, {
      async strike() {
        if (context.round % 2 === 0) {
          worker?.kill('SIGSTOP')
          await waitUntil(async () => (await system.queue.counts()).waiting > 3, {
            what: 'jobs wait in the queue',
          })
        }
        const client = new Redis(system.redis.url)
        await client.flushall()
        await client.quit()
        worker?.kill('SIGCONT')
      },
      lasts: () => sleep(500),
      heal: () => {},
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 30_000, logLines: 20 },
    })
  },
}
