import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { freePort } from '../../../apps/stack/processes/free-port.ts'
import { openPool, shorten, startApi, startWorker, visit, waitForVisits } from '../../support/hopcount.ts'
import { isNightly } from '../../support/nightly.ts'
import { startProcess } from '../../support/processes.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { watchFreshness } from '../../support/watch-freshness.ts'

const preload = fileURLToPath(new URL('../../faults/preload/shift-clock.ts', import.meta.url))
const hourAhead = { NODE_OPTIONS: `--import=${preload}`, CLOCK_SHIFT_MS: '3600000' }

test('API processes on their own and several on one port never claim visits that are not counted, nor take back a claim', async () => {
  const installation = { databaseUrl: (await createTestDatabase()).url }
  const apis = [
    await startApi(installation),
    await startApi(installation),
    ...(isNightly ? [await startApi(installation)] : []),
    await startApi({
      ...installation,
      port: await freePort(),
      env: { WEB_CONCURRENCY: isNightly ? '3' : '2' },
    }),
  ]
  await startWorker(installation)
  const origins = apis.map(api => api.origin)
  const slug = await shorten(origins[0] ?? '')
  const watch = watchFreshness({ visitOrigins: () => origins, statsOrigins: () => origins, slug })
  await sleep(2_000)
  // One more, with a fast clock; one less, with visits that are not counted yet; and one that ends as it should.
  const late = await startApi({ ...installation, env: hourAhead })
  origins.push(late.origin)
  await sleep(1_000)
  const [killed, stopped] = apis
  origins.splice(0, 2)
  killed?.process.kill('SIGKILL')
  await stopped?.process.stop()
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
  const producers = await openPool(installation.databaseUrl).query('SELECT FROM producers')
  expect(producers.rowCount).toBe(isNightly ? 5 : 3)
}, 180_000)

test('a process with a fast clock claims nothing about a visit that is not counted', async () => {
  const installation = { databaseUrl: (await createTestDatabase()).url }
  const api = await startApi({ ...installation, env: hourAhead })
  const slug = await shorten(api.origin)
  await visit(api.origin, slug)
  const answeredAt = Date.now()
  const pool = openPool(installation.databaseUrl)
  const reportedSince = (since: string) =>
    waitUntil(
      async () => {
        const { rows } = await pool.query<{ reported_at: string }>(
          'SELECT reported_at::text FROM producers WHERE pending = 1 AND reported_at > $1',
          [since],
        )
        return rows[0]?.reported_at
      },
      { what: 'a report says that the visit is pending' },
    )
  // The second one began after the visit was answered.
  await reportedSince(await reportedSince('-infinity'))
  expect(await asOf(api.origin)).toBeLessThanOrEqual(answeredAt)
  await startWorker(installation)
  await waitForVisits(api.origin, slug, 1)
  await waitUntil(async () => (await asOf(api.origin)) > answeredAt, { what: 'as-of goes on' })
})

test('a frozen process holds as-of back and is named, until it continues', async () => {
  const installation = { databaseUrl: (await createTestDatabase()).url }
  const frozen = await startApi(installation)
  const other = await startApi(installation)
  await startWorker(installation)
  await shorten(other.origin)
  frozen.process.kill('SIGSTOP')
  const frozenAt = Date.now()
  const warnings = async () => {
    const response = await fetch(`${other.origin}/readyz`)
    return ((await response.json()) as { warnings: string[] }).warnings
  }
  await waitUntil(async () => (await warnings()).some(text => text.includes('silent since')), {
    what: 'the silent process is named',
  })
  expect(await asOf(other.origin)).toBeLessThanOrEqual(frozenAt)
  const id = /API process (\S+)/.exec((await warnings())[0] ?? '')?.[1] ?? ''
  expect(id).not.toBe('')
  frozen.process.kill('SIGCONT')
  await waitUntil(async () => (await warnings()).length === 0, { what: 'it is heard again' })
  await waitUntil(async () => (await asOf(other.origin)) > frozenAt, { what: 'as-of goes on' })
  const command = startProcess({
    script: 'apps/worker/producers-command.ts',
    args: ['write-off', id],
    env: { DATABASE_URL: installation.databaseUrl },
  })
  expect(await command.exited).toMatchObject({ code: 1 })
  expect(command.output()).toContain('is not silent')
})

async function asOf(origin: string): Promise<number> {
  const response = await fetch(`${origin}/stats`)
  return Date.parse(response.headers.get('x-stats-as-of') ?? '')
}
