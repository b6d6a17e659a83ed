import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntilIdle } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** In odd rounds Redis is killed while the worker is idle, and the load starts while Redis is down. */
export const redisKilled: Row = {
  number: 8,
  title:
    'kill -9 of Redis, down for 15 s: R, P, S continue; the backlog is drained within 60 s of its return',
  ciRounds: 2,
  system: { apis: 2 },
  async round(system, context) {
    const idle = context.round % 2 === 1
    let paused = false
    const result = await strikeUnderLoad(system, context, {
      load: { pauseMs: 8, isPaused: () => paused },
      edits: {
        editor: () => system.apis[0]?.origin ?? '',
        origins: () => system.apis.map(api => api.origin),
      },
      async strike() {
        if (idle) {
          paused = true
          await waitUntilIdle(system)
          await sleep(500)
        }
        await system.redis.kill9()
        paused = false
      },
      lasts: context.full || idle ? 15_000 : 5_000,
      heal: () => system.redis.restart(),
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000, logLines: 20 },
    })
    return result
  },
}
