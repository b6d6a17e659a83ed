import { waitUntil } from '../../support/wait-until.ts'
import { stopIdleWorkers } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

export const workerKilled: Row = {
  number: 4,
  title: 'kill -9 of a worker: R, P, S continue; its jobs are taken over within 20 s',
  system: { proxied: true, workers: 0 },
  async round(system, context) {
    // With a slow connection to the database it nearly always holds jobs when it is killed.
    system.proxies.workerPostgres.setMode({ delayMs: 40 })
    const victim = await system.startWorker()
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        await waitUntil(async () => (await system.queue.counts()).active > 0, {
          what: 'the worker holds a job',
          everyMs: 2,
        })
        victim.kill('SIGKILL')
        await victim.exited
        system.proxies.workerPostgres.setMode('pass')
        await system.startWorker()
      },
      lasts: 1_500,
      heal: () => {},
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 20_000 },
    })
    await stopIdleWorkers(system)
    return result
  },
}
