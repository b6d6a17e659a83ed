import { waitUntil } from '../../support/wait-until.ts'
import { healProxy, metric, workerMetrics } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

export const workerKilledAfterCommit: Row = {
  number: 5,
  title: 'worker dies between COMMIT and acknowledgement: the ledger absorbs the redelivery',
  system: { proxied: true, workers: 0 },
  ciRounds: 1,
  async round(system, context) {
    const victim = await system.startWorker()
    const ledgerVisits = async () => {
      const { rows } = await system.pool.query<{ visits: number }>(
        `SELECT (SELECT coalesce(sum(visits), 0) FROM ledger)::bigint + (SELECT coalesce(sum(visits), 0) FROM ledger_watermarks)::bigint AS visits`,
      )
      return rows[0]?.visits ?? 0
    }
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        await waitUntil(async () => (await system.queue.counts()).active > 0, {
          what: 'the worker holds a job',
          everyMs: 1,
        })
        const before = await ledgerVisits()
        // From now on no acknowledgement arrives; what the worker holds is still committed.
        system.proxies.workerRedis.setMode('black-hole')
        await waitUntil(async () => (await ledgerVisits()) > before, {
          what: 'the worker commits',
          deadlineMs: 2_000,
          everyMs: 5,
        }).catch(() => {})
        victim.kill('SIGKILL')
        await victim.exited
      },
      lasts: 300,
      async heal() {
        healProxy(system.proxies.workerRedis)
        await system.startWorker()
      },
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000 },
    })
    const successor = system.workers.at(-1)
    if (successor !== undefined) {
      const metrics = await workerMetrics(successor)
      await waitUntil(async () => (await metric(metrics, 'hopcount_duplicate_batches_total')) > 0, {
        what: 'a batch comes again and is absorbed',
      })
      await successor.stop()
    }
    return result
  },
}
