import { waitUntil } from '../../support/wait-until.ts'
import { healProxy, stopIdleWorkers } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** In odd rounds PostgreSQL does not respond to the worker, so it can't finish. */
export const workerStopped: Row = {
  number: 7,
  title:
    'SIGTERM to a worker during a batch: it records the batch whole or not at all, and exits within 15 s',
  system: { proxied: true, workers: 0 },
  async round(system, context) {
    system.proxies.workerPostgres.setMode({ delayMs: 20 })
    const worker = await system.startWorker()
    const failures: string[] = []
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        await waitUntil(async () => (await system.queue.counts()).active > 0, {
          what: 'the worker holds a job',
          everyMs: 1,
        })
        if (context.round % 2 === 1) system.proxies.workerPostgres.setMode('black-hole')
        const signalledAt = performance.now()
        const { code, signal } = await worker.stop(60_000)
        const tookMs = performance.now() - signalledAt
        if (tookMs > 15_000) failures.push(`the worker took ${Math.round(tookMs)} ms to exit`)
        if (code !== 0 && context.round % 2 === 0) failures.push(`the worker exited with ${code ?? signal}`)
        healProxy(system.proxies.workerPostgres)
      },
      lasts: 100,
      heal: () => system.startWorker(),
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000 },
    })
    await stopIdleWorkers(system)
    result.failures.push(...failures)
    return result
  },
}
