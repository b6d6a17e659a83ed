import { setTimeout as sleep } from 'node:timers/promises'
import type { ProxyMode } from '../../support/tcp-proxy.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { duplicateBatches, healProxy, setModeAtCommit } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

const cuts: ProxyMode[] = ['reset', 'drop-replies', 'black-hole']

/** Each round has one kind of cut, at the moment of a COMMIT of the worker and of an `add` of the API. */
export const cutInCommitOrAdd: Row = {
  number: 18,
  title: 'connection lost during COMMIT or add (reset, silence, reply dropped): retried under the same id',
  system: { proxied: true },
  kinds: 3,
  async round(system, context) {
    const cut = cuts[context.round % cuts.length] ?? 'reset'
    const { workerPostgres, apiRedis } = system.proxies
    const before = await duplicateBatches(system.workers)
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        await setModeAtCommit(workerPostgres, cut)
        await sleep(context.random.between(50, 500))
        healProxy(workerPostgres)
        await sleep(context.random.between(0, 300))
        await apiRedis.setModeAt('frames', cut)
        await sleep(context.random.between(50, 500))
        healProxy(apiRedis)
        await sleep(context.random.between(0, 300))
        // Both together, in this order: once nothing is added, nothing is committed either.
        await setModeAtCommit(workerPostgres, cut)
        await apiRedis.setModeAt('frames', cut)
      },
      lasts: context.random.between(200, 4_000),
      heal() {
        healProxy(workerPostgres)
        healProxy(apiRedis)
      },
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000, logLines: 30 },
    })
    // What was counted twice was not absorbed: the verdict says that better.
    if (cut === 'drop-replies' && result.failures.length === 0)
      await waitUntil(async () => (await duplicateBatches(system.workers)) > before, {
        what: 'a batch whose COMMIT got no reply comes again and is absorbed',
      })
    return result
  },
}
