import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntil } from '../../support/wait-until.ts'
import { duplicateBatches, healProxy, stopIdleWorkers } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

export const workerKilledAfterCommit: Row = {
  number: 5,
  title: 'worker killed between COMMIT and acknowledgement: the ledger absorbs the redelivery',
  system: { proxied: true, workers: 0 },
  async round(system, context) {
    const victim = await system.startWorker()
    const ledgerRows = async () => {
      const { rows } = await system.pool.query<{ rows: number }>(
        'SELECT count(*)::integer AS rows FROM ledger',
      )
      return rows[0]?.rows ?? 0
    }
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        const { workerPostgres, workerRedis } = system.proxies
        // From the moment when a batch is sent to PostgreSQL, no acknowledgement arrives: it is committed, and nothing else.
        await workerPostgres.setModeAt('enter-ledger', 'pass')
        workerRedis.setMode('black-hole')
        let rows = -1
        const isSettled = async () => {
          const before = rows
          rows = await ledgerRows()
          return rows === before
        }
        await waitUntil(isSettled, { what: 'what was sent is committed', everyMs: 500 })
        await sleep(context.random.between(0, 100))
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
    await waitUntil(async () => (await duplicateBatches(system.workers.slice(-1))) > 0, {
      what: 'a batch comes again and is absorbed',
    })
    await stopIdleWorkers(system)
    return result
  },
}
