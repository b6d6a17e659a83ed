import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { freePort } from '../../../apps/stack/processes/free-port.ts'
import { shorten, startApi, startWorker } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { watchFreshness } from '../../support/watch-freshness.ts'

test('three API processes on their own and three on one port never claim visits that are not counted, nor take back a claim', async () => {
  const installation = { databaseUrl: (await createTestDatabase()).url }
  const apis = await Promise.all([
    startApi(installation),
    startApi(installation),
    startApi(installation),
    startApi({ ...installation, port: await freePort(), env: { WEB_CONCURRENCY: '3' } }),
  ])
  await startWorker(installation)
  const origins = apis.map(api => api.origin)
  const slug = await shorten(origins[0] ?? '')
  const watch = watchFreshness({ visitOrigins: () => origins, statsOrigins: () => origins, slug })
  await sleep(2_000)
  // One more, and one less with visits that are not counted yet.
  const late = await startApi(installation)
  origins.push(late.origin)
  await sleep(1_000)
  origins.shift()
  apis[0]?.process.kill('SIGKILL')
  await sleep(1_000)
  await watch.stopVisits()
  const endedAt = Date.now()
  await waitUntil(() => watch.claims.some(({ asOf, pending }) => asOf > endedAt && pending === 0), {
    what: 'the statistics are complete',
  })
  await watch.stop()
  expect(watch.faults).toEqual([])
  expect(watch.answered()).toBeGreaterThan(100)
  expect(new Set(watch.claims.map(({ asOf }) => asOf)).size).toBeGreaterThan(3)
})
