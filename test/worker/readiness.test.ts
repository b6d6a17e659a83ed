/** What a worker says on `/readyz`. */
import { expect, test } from 'vitest'
import { createProgressWatch } from '../../apps/worker/watch-progress.ts'
import { startWorker } from '../support/hopcount.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

test.skipIf(!redisAvailable())('it is not ready while the queue can not be reached', async () => {
  const redis = await startRedis({ appendonly: true })
  const worker = await startWorker({ databaseUrl: (await createTestDatabase()).url, redisUrl: redis.url })
  const port = /"metricsPort":(\d+)/.exec(worker.output())?.[1]
  const ready = () => fetch(`http://127.0.0.1:${port}/readyz`)
  await waitUntil(async () => (await ready()).status === 200, { what: 'it is ready' })
  await redis.stop()
  await waitUntil(async () => (await ready()).status === 503, { what: 'it is not ready' })
  expect(await (await ready()).json()).toMatchObject({
    status: 503,
    detail: 'The queue can’t be reached.',
  })
  await redis.restart()
  await waitUntil(async () => (await ready()).status === 200, { what: 'it is ready again' })
})

const noJobs = { waiting: 0, active: 0, delayed: 0, failed: 0 }

test('it is ready with nothing to do, and not if jobs wait and none is finished', async () => {
  let waiting = 0
  const { watch, problem } = createProgressWatch(
    { counts: async () => ({ ...noJobs, waiting }) },
    { patienceMs: 50 },
  )
  const stays = async (expected: boolean) => {
    for (const end = performance.now() + 200; performance.now() < end; )
      expect(await problem()).toEqual(expected ? undefined : expect.any(String))
  }
  await stays(true)
  waiting = 3
  await waitUntil(async () => (await problem())?.startsWith('Jobs are waiting'), { what: 'it says so' })
  await watch(async () => {})()
  expect(await problem()).toBeUndefined()
  waiting = 0
  await stays(true)

  let finish = () => {}
  const handled = watch(
    () =>
      new Promise<void>(resolve => {
        finish = resolve
      }),
  )()
  await waitUntil(async () => (await problem()) !== undefined, { what: 'a job that never ends is noticed' })
  finish()
  await handled
  await stays(true)
})
