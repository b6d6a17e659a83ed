/** The checker itself is tested: a product with one broken promise must turn it red, by that promise's own fault. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import type { Verdict } from '../support/checker.ts'
import { isExact, judge, judgeWhenDrained, startLoad } from '../support/checker.ts'
import { cleanUp } from '../support/clean-up.ts'
import { redisAvailable } from '../support/redis.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'
import type { FaultSystem } from './fault-system.ts'
import { healProxy, startFaultSystem } from './fault-system.ts'

const breaking = fileURLToPath(new URL('./variants/break-product.ts', import.meta.url))
const newDatabase = async () => (await createTestDatabase()).url

afterEach(cleanUp)

describe.skipIf(!redisAvailable())('the checker', () => {
  test('turns red without a spool: an API that is killed loses what it has answered', async () => {
    const system = await startVariant('no-spool')
    const verdict = await judgeUnderLoad(system, async () => {
      // For a moment the spool is all there is.
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

  test('turns red where every attempt to send a batch gives it a new id', async () => {
    const system = await startVariant('new-id-at-each-send')
    const verdict = await judgeUnderLoad(system, () => sleep(2_000))
    expect(verdict.twice.length).toBeGreaterThan(0)
    expect(isExact(verdict)).toBe(false)
  })

  test('turns red without a ledger: a COMMIT whose answer is lost counts twice', async () => {
    const system = await startVariant('no-ledger')
    const verdict = await judgeUnderLoad(system, async () => {
      const { workerPostgres } = system.proxies
      await workerPostgres.setModeAt('COMMIT', 'drop-replies')
      await sleep(300)
      healProxy(workerPostgres)
    })
    expect(verdict.twice.length).toBeGreaterThan(0)
    expect(isExact(verdict)).toBe(false)
  })

  test('turns red where a batch is acknowledged before its commit: a worker that is killed loses it', async () => {
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
  })

  test('stays green through the same faults where nothing is broken', async () => {
    const system = await startVariant(undefined)
    const { workerPostgres } = system.proxies
    const load = startLoad({ origin: system.origin, slugs: system.slugs, pauseMs: 5 })
    await sleep(500)
    await workerPostgres.setModeAt('COMMIT', 'drop-replies')
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

/** What the checker says when load and fault are over, and what could be counted has been counted. */
async function judgeUnderLoad(system: FaultSystem, fault: () => Promise<void>): Promise<Verdict> {
  const load = startLoad({ origin: system.origin, slugs: system.slugs, pauseMs: 5 })
  await sleep(1_000)
  await fault()
  await load.stop()
  // Whatever the spool still holds is adopted by a new API process, as in every row.
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
