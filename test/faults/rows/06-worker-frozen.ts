import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntil } from '../../support/wait-until.ts'
import type { FaultSystem } from '../fault-system.ts'
import { stopIdleWorkers } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** Longer than a job's lock, which is 10 s. */
const frozenMs = 17_000

export const workerFrozen: Row = {
  number: 6,
  title:
    'worker stopped for longer than its job lock, then continued: row locks are released within 15 s, its late COMMIT is absorbed',
  system: { proxied: true, workers: 0, links: 1 },
  async round(system, context) {
    system.proxies.workerPostgres.setMode({ delayMs: 10 })
    const frozen = await system.startWorker()
    const failures: string[] = []
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        for (let attempt = 0; attempt < 300; attempt++) {
          frozen.kill('SIGSTOP')
          await sleep(60)
          if ((await openTransactions(system)) > 0) return
          frozen.kill('SIGCONT')
          await sleep(context.random.between(5, 40))
        }
        throw new Error('the worker was never stopped inside of a transaction')
      },
      async lasts() {
        const stoppedAt = performance.now()
        await waitUntil(async () => (await openTransactions(system)) === 0, {
          what: 'PostgreSQL ends the transaction of the stopped worker',
        })
        const freeAfterMs = performance.now() - stoppedAt
        if (freeAfterMs > 15_000) failures.push(`row locks were held for ${Math.round(freeAfterMs)} ms`)
        await system.startWorker()
        await sleep(Math.max(0, frozenMs - freeAfterMs))
      },
      heal() {
        system.proxies.workerPostgres.setMode('pass')
        frozen.kill('SIGCONT')
      },
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000 },
    })
    await sleep(2_000)
    if (await hasEnded(frozen.exited)) failures.push('the worker did not live on after SIGCONT')
    await stopIdleWorkers(system)
    result.failures.push(...failures)
    return result
  },
}

/** Workers' transactions that hold locks while they wait for the next statement. */
async function openTransactions(system: FaultSystem): Promise<number> {
  const { rows } = await system.pool.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'hopcount worker' AND state LIKE 'idle in transaction%'
       AND backend_xid IS NOT NULL`,
  )
  return rows[0]?.open ?? 0
}

function hasEnded(exited: Promise<unknown>): Promise<boolean> {
  return Promise.race([exited.then(() => true), sleep(0, false)])
}
