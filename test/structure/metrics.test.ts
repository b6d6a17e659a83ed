/**
 * Metrics as running processes report them: a name means one thing, and the runbook says which process has it.
 * (documents.test.ts compares the names in the runbook with the code.)
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { freePort } from '../../apps/stack/processes/free-port.ts'
import { sendSignal } from '../../apps/stack/processes/running-process.ts'
import { openPool, shorten, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import { nightlyTest } from '../support/nightly.ts'
import { childrenOf } from '../support/process-tree.ts'
import { root } from '../support/processes.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

/** From names to types, as Prometheus reads them. */
type Metrics = Map<string, string>

let api: Metrics
let worker: Metrics

beforeAll(async () => {
  const installation = { databaseUrl: (await createTestDatabase()).url }
  const [runningApi, runningWorker] = await Promise.all([startApi(installation), startWorker(installation)])
  const line = await runningWorker.waitForLine(/recording visits/)
  const workerPort = /"metricsPort":(\d+)/.exec(line)?.[1]
  api = await readMetrics(runningApi.origin)
  worker = await readMetrics(`http://127.0.0.1:${workerPort}`)
})

test('no metric of the API has the name of a worker’s', () => {
  expect(ownNames(api).length).toBeGreaterThan(5)
  expect(ownNames(worker).length).toBeGreaterThan(5)
  expect(ownNames(api).filter(name => worker.has(name))).toEqual([])
})

test('the runbook’s table names the process of every metric', () => {
  const runbook = readFileSync(join(root, 'docker/README.md'), 'utf8')
  const table = runbook.split('\n').filter(line => line.startsWith('| `'))
  const described = table.flatMap(line => {
    const [, names = '', processes = ''] = line.split('|')
    const owners = processes.toLowerCase()
    return [...names.matchAll(/`(\w+)/g)].map(([, name = '']) => ({ name, owners }))
  })
  const lacking = (metrics: Metrics, owner: RegExp) =>
    ownNames(metrics).filter(name => !described.some(row => row.name === name && owner.test(row.owners)))
  expect(lacking(api, /api|both/)).toEqual([])
  expect(lacking(worker, /worker|both/)).toEqual([])
})

test('the age of the oldest unrecorded visit is 0 when everything is recorded, and rises while no worker runs', async () => {
  const installation = { databaseUrl: (await createTestDatabase()).url }
  const { origin } = await startApi(installation)
  const age = async () =>
    Number(/^hopcount_unrecorded_visit_age_seconds (\S+)$/m.exec(await metricsText(origin))?.[1])
  expect(await age()).toBe(0)
  const slug = await shorten(origin)
  await visit(origin, slug)
  await expect.poll(age, { timeout: 30_000 }).toBeGreaterThan(0.5)
  await startWorker(installation)
  await waitForVisits(origin, slug, 1)
  await expect.poll(age, { timeout: 30_000 }).toBe(0)
  expect((await openPool(installation.databaseUrl).query('SELECT FROM visits')).rowCount).toBe(1)
})

nightlyTest(
  'processes on one address are one in its metrics, and no counter starts again when one ends',
  async () => {
    const installation = { databaseUrl: (await createTestDatabase()).url }
    const { origin, process } = await startApi({
      ...installation,
      port: await freePort(),
      env: { WEB_CONCURRENCY: '3' },
    })
    const started = (count: number) =>
      waitUntil(() => process.output().split('Server listening').length > count, {
        what: `${count} processes have started`,
      })
    await started(3)
    const slug = await shorten(origin)
    const kept = async () =>
      Number(/^hopcount_visits_kept_total (\S+)$/m.exec(await metricsText(origin))?.[1])
    const follow = async (visits: number) => {
      // A connection each: the processes take turns.
      for (let i = 0; i < visits; i++) await visit(origin, slug, { connection: 'close' })
    }
    await follow(30)
    for (let i = 0; i < 6; i++) expect(await kept()).toBe(30)

    const [killed = 0, frozen = 0] = childrenOf(process.pid)
    sendSignal(killed, 'SIGKILL')
    await process.waitForLine(/an API process exited/)
    expect(await kept()).toBe(30)
    await started(4)
    await follow(30)
    expect(await kept()).toBe(60)

    sendSignal(frozen, 'SIGSTOP')
    try {
      expect(await fetchWithin(`${origin}/metrics`, 1_500)).toMatch(/^hopcount_visits_kept_total 60$/m)
    } finally {
      sendSignal(frozen, 'SIGCONT')
    }

    process.kill('SIGHUP')
    await process.waitForLine(/all API processes have been replaced/)
    expect(await kept()).toBe(60)
    await follow(10)
    expect(await kept()).toBe(70)
  },
  180_000,
)

/** Tries again: the connection may have come to a process that is frozen. */
async function fetchWithin(url: string, tryMs: number): Promise<string> {
  return waitUntil(
    () =>
      fetch(url, { signal: AbortSignal.timeout(tryMs), headers: { connection: 'close' } }).then(
        response => response.text(),
        () => undefined,
      ),
    { what: `${url} responds` },
  )
}

async function readMetrics(origin: string): Promise<Metrics> {
  const types = (await metricsText(origin)).matchAll(/^# TYPE (\S+) (\S+)$/gm)
  return new Map([...types].map(([, name = '', type = '']) => [name, type]))
}

async function metricsText(origin: string): Promise<string> {
  return (await fetch(`${origin}/metrics`)).text()
}

const ownNames = (metrics: Metrics) => [...metrics.keys()].filter(name => name.startsWith('hopcount_'))
