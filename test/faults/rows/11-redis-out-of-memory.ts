import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** A worker that retries without a pause sends thousands of commands per second. */
const maxCommandsPerSecond = 300

export const redisOutOfMemory: Row = {
  number: 11,
  title: 'Redis out of memory: the spool grows, the worker does not spin, the backlog is drained afterwards',
  async round(system, context) {
    const client = new Redis(system.redis.url)
    const failures: string[] = []
    const lastsMs = context.full ? 10_000 : 4_000
    try {
      const result = await strikeUnderLoad(system, context, {
        async strike() {
          // Less than is in use: every command that may need memory is refused at once.
          await client.config('SET', 'maxmemory', '1')
        },
        async lasts() {
          await sleep(500)
          const before = await commandsProcessed(client)
          await sleep(lastsMs)
          const perSecond = ((await commandsProcessed(client)) - before) / (lastsMs / 1_000)
          if (perSecond > maxCommandsPerSecond)
            failures.push(`${Math.round(perSecond)} commands per second while Redis refused them`)
          if (system.segments().length === 0) failures.push('nothing waits in the spool')
        },
        heal: () => client.config('SET', 'maxmemory', '0'),
        promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000, logLines: 20 },
      })
      result.failures.push(...failures)
      return result
    } finally {
      client.disconnect()
    }
  },
}

async function commandsProcessed(client: Redis): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await client.info('stats'))?.[1] ?? Number.NaN)
}
