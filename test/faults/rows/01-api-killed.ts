import { findLost } from '../../support/checker.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

export const apiKilled: Row = {
  number: 1,
  title: 'kill -9 of the API: its segments are adopted and counted within 5 s of a restart',
  async round(system, context) {
    let answeredBefore: Set<string> | undefined
    let countedAfterMs = 0
    const { port } = system.api()
    const result = await strikeUnderLoad(system, context, {
      async strike(load) {
        const { process } = system.api()
        process.kill('SIGKILL')
        await process.exited
        answeredBefore = new Set(load.answered)
      },
      lasts: 200,
      async heal(load) {
        await system.startApi({}, port)
        const startedAt = performance.now()
        const before = { ...load, answered: answeredBefore ?? new Set() }
        await waitUntil(async () => (await findLost(system.pool, [before])).length === 0, {
          what: 'the segments of the killed API are counted',
        })
        countedAfterMs = performance.now() - startedAt
      },
    })
    if (countedAfterMs > 5_000 * context.slack)
      result.failures.push(`adopted and counted after ${Math.round(countedAfterMs)} ms, promised 5 s`)
    return result
  },
}
