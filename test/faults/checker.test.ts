/** Tests the checker itself: it must reject a product with one broken promise, under the fault which that promise covers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import type { Verdict } from '../support/checker.ts'
import { isExact, judge, judgeWhenDrained, startLoad } from '../support/checker.ts'
import { cleanUp } from '../support/clean-up.ts'
import { nightlyTest } from '../support/nightly.ts'
import { redisAvailable } from '../support/redis.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'
import type { FaultSystem } from './fault-system.ts'
import { healProxy, setModeAtCommit, startFaultSystem } from './fault-system.ts'

const breaking = fileURLToPath(new URL('./variants/break-product.ts', import.meta.url))
const newDatabase = async () => (await createTestDatabase()).url

afterEach(cleanUp)

// One broken product in the gate; all four at night.
describe.skipIf(!redisAvailable())('the checker', () => {
  nightlyTest('fails without a spool: an API that is killed loses visits that it redirected', async () => {
    const system = await startVariant('no-spool')
    const verdict = await judgeUnderLoad(system, async () => {
      // For a moment, nothing but the spool could hold the visits.
      system.proxies.apiRedis.setMode('reset')
      await sleep(500)
      const { process } = system.api()
      process.kill('SIGKILL')
      await process.exited
      system.proxies.apiRedis.setMode('pass')
    })
    expect(verdict.lost.length).toBeGreaterThan(0)
    expect(isExact(verdict)).toBe(false)
  })

  nightlyTest('fails if every attempt to send a batch gives it a new id', async () => {
    const system = await startVariant('new-id-at-each-send')
    const verdict = await judgeUnderLoad(system, () => sleep(2_000))
    expect(verdict.twice.length).toBeGreaterThan(0)
    expect(isExact(verdict)).toBe(false)
  })

  test('fails without a ledger: a COMMIT whose reply is lost is counted twice', async () => {
    const system = await startVariant('no-ledger')
    const verdict = await judgeUnderLoad(system, async () => {
      const { workerPostgres } = system.proxies
      await setModeAtCommit(workerPostgres, 'drop-replies')
      await sleep(300)
      healProxy(workerPostgres)
    })
    expect(verdict.twice.length).toBeGreaterThan(0)
    expect(isExact(verdict)).toBe(false)
  })

  nightlyTest(
    'fails if a batch is acknowledged before its commit: a worker that is killed loses it',
    async () => {
      const system = await startVariant('acknowledged-before-commit')
      const verdict = await judgeUnderLoad(system, async () => {
        const [worker] = system.workers
        system.proxies.workerPostgres.setMode({ delayMs: 100 })
        await sleep(500)
        worker?.kill('SIGKILL')
        await worker?.exited
        healProxy(system.proxies.workerPostgres)
        await system.startWorker()
      })
      expect(verdict.lost.length).toBeGreaterThan(0)
      expect(isExact(verdict)).toBe(false)
    },
  )

  nightlyTest('passes under the same faults if nothing is broken', async () => {
    const system = await startVariant(undefined)
    const { workerPostgres } = system.proxies
    const load = startLoad({ origin: system.origin, slugs: system.slugs, pauseMs: 5 })
    await sleep(500)
    await setModeAtCommit(workerPostgres, 'drop-replies')
    await sleep(300)
    healProxy(workerPostgres)
    const { port, process } = system.api()
    process.kill('SIGKILL')
    await process.exited
    await system.startApi({}, port)
    const [worker] = system.workers
    worker?.kill('SIGKILL')
    await worker?.exited
    await system.startWorker()
    await sleep(500)
    await load.stop()
    const verdict = await judgeWhenDrained(system.pool, [load])
    expect(verdict).toMatchObject({ lost: [], twice: [], invented: [], differences: [] })
    expect(verdict.answered).toBeGreaterThan(100)
  })
})

function startVariant(name: string | undefined): Promise<FaultSystem> {
  const env: Record<string, string> =
    name === undefined ? {} : { NODE_OPTIONS: `--import=${breaking}`, VARIANT: name }
  return startFaultSystem({ proxied: true, apiEnv: env, workerEnv: env }, newDatabase)
}

/** The checker's verdict after load and fault, when nothing more is being counted. */
async function judgeUnderLoad(system: FaultSystem, fault: () => Promise<void>): Promise<Verdict> {
  const load = startLoad({ origin: system.origin, slugs: system.slugs, pauseMs: 5 })
  await sleep(1_000)
  await fault()
  await load.stop()
  // A new API process adopts what is left in the spool, as in every row.
  await system.startApi()
  let last = -1
  await waitUntil(
    async () => {
      const { counted } = await judge(system.pool, [load])
      const settled = counted === last
      last = counted
      return settled
    },
    { what: 'nothing more is counted', everyMs: 1_500 },
  )
  return judge(system.pool, [load])
}
