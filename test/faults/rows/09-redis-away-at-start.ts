import { setTimeout as sleep } from 'node:timers/promises'
import { stopIdleWorkers } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

export const redisAwayAtStart: Row = {
  number: 9,
  title: 'Redis down when API and worker start: both start, R, P, S work, and recover without help',
  system: { partsLater: true },
  async round(system, context) {
    await system.redis.stop()
    const api = await system.startApi()
    await system.startWorker()
    system.slugs.splice(0, Number.POSITIVE_INFINITY, ...(await system.prepareLinks(5)))
    const result = await strikeUnderLoad(system, context, {
      strike: () => {},
      lasts: 1_500,
      async heal() {
        await system.redis.restart()
        await sleep(500)
      },
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000, logLines: 20 },
    })
    await stopIdleWorkers(system)
    await api.process.stop()
    return result
  },
}
