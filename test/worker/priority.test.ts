/** Redirects first: recording runs at lower CPU priority, as /proc shows it, and nothing else does. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { beforeAll, describe, expect, test } from 'vitest'
import { DatabaseClient } from '../../apps/shared/database/database-client.ts'
import { lowerPriority } from '../../apps/worker/priority/lower-priority.ts'
import { isBackendOf, ownBackend } from '../../apps/worker/priority/own-backend.ts'
import type { RunningApi } from '../support/hopcount.ts'
import { openPool, shorten, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import type { StartedProcess } from '../support/processes.ts'
import { endWithUs } from '../support/run.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

/** The lowest priority there is: the tests may run at a low one themselves. */
const nice = 19

describe.skipIf(process.platform !== 'linux')('recording yields to redirects', () => {
  let databaseUrl: string
  let api: RunningApi
  let worker: StartedProcess
  let backendsBefore: number[]

  /** Backends by application name. */
  async function backends(): Promise<{ pid: number; name: string }[]> {
    const { rows } = await openPool(databaseUrl).query<{ pid: number; name: string }>(
      'SELECT pid, application_name AS name FROM pg_stat_activity WHERE datname = current_database()',
    )
    return rows
  }

  beforeAll(async () => {
    databaseUrl = (await createTestDatabase()).url
    api = await startApi({ databaseUrl })
    const slug = await shorten(api.origin)
    await visit(api.origin, slug)
    backendsBefore = (await backends()).map(({ pid }) => pid)
    worker = await startWorker({ databaseUrl, env: { RECORDING_NICE: String(nice) } })
    await waitForVisits(api.origin, slug, 1)
  })

  test('with all threads of the worker', () => {
    const threads = threadsOf(worker.pid)
    expect(threads.length).toBeGreaterThan(1)
    expect(threads.map(getPriority)).toEqual(threads.map(() => nice))
  })

  test('with the backends of its own connections, those of its queue included', async () => {
    const own = (await backends()).filter(
      ({ pid, name }) => !backendsBefore.includes(pid) && /^hopcount (worker|queue)/.test(name),
    )
    const names = new Set(own.map(({ name }) => name))
    expect([...names].sort()).toEqual(['hopcount queue', 'hopcount worker'])
    await waitUntil(
      () =>
        own.every(({ pid }) => getPriority(pid) === nice && [nice, undefined].includes(autogroupNice(pid))),
      { what: 'the backends have the priority' },
    )
  })

  test('and not with the API, its backends, or PostgreSQL’s other processes', async () => {
    const { rows } = await openPool(databaseUrl).query<{ pid: number }>(
      'SELECT pid FROM pg_stat_activity WHERE backend_type <> $1',
      ['client backend'],
    )
    const others = [...threadsOf(api.process.pid), ...backendsBefore, ...rows.map(({ pid }) => pid)].filter(
      pid => existsSync(`/proc/${pid}`),
    )
    expect(others.length).toBeGreaterThan(10)
    expect(others.map(getPriority)).toEqual(others.map(() => getPriority()))
    expect(others.map(autogroupNice).filter(Boolean)).toEqual([])
  })

  test('a backend is only taken for one that serves this very connection', async () => {
    const client = await connect(databaseUrl)
    const pid = client.ends().backendPid ?? 0
    expect(ownBackend(client.ends())).toBe(pid)
    // The same process id on another machine or in a container is somebody else here.
    const stranger = startSleeping('postgres: x x 127.0.0.1(1)')
    expect(ownBackend({ ...client.ends(), backendPid: stranger })).toBeUndefined()
    expect(ownBackend({ ...client.ends(), backendPid: undefined })).toBeUndefined()
    await client.end()
    // Behind a proxy or pooler, another socket than ours leads to PostgreSQL.
    const { port } = await startTcpProxy({ port: Number(new URL(databaseUrl).port) })
    const behind = new URL(databaseUrl)
    behind.port = String(port)
    const proxied = await connect(behind.href)
    expect(proxied.ends().backendPid).toBeGreaterThan(1)
    expect(ownBackend(proxied.ends())).toBeUndefined()
    await proxied.end()
  })

  test('a priority is never raised', async () => {
    const low = startSleeping('low')
    await lowerPriority(low, nice)
    await lowerPriority(low, 4)
    expect(getPriority(low)).toBe(nice)
    // It does not lead its session, which is that of this test.
    expect(autogroupNice(low) ?? 0).toBe(autogroupNice(process.pid) ?? 0)
  })
})

const ends = {
  user: 'hop',
  database: 'count',
  localAddress: '127.0.0.1',
  localPort: 5_432,
  remoteAddress: '127.0.0.1',
  backendPid: 4_711,
}

test.each([
  ['postgres: hop count 127.0.0.1(5432) idle', {}, true],
  ['postgres: hop count 127.0.0.1(5432)', {}, true],
  ['postgres: main: hop count 127.0.0.1(5432) INSERT', {}, true],
  ['postgres: hop count ::1(5432) COPY', { localAddress: '::1', remoteAddress: '::1' }, true],
  ['postgres: hop count 127.0.0.1(54321) idle', {}, false],
  ['postgres: hop count 127.0.0.1(543) idle', {}, false],
  ['postgres: hop other 127.0.0.1(5432) idle', {}, false],
  ['postgres: other count 127.0.0.1(5432) idle', {}, false],
  ['postgres: hop count [local] idle', {}, false],
  ['postgres: checkpointer', {}, false],
  ['pgbouncer: hop count 127.0.0.1(5432) idle', {}, false],
  ['vi postgres: hop count 127.0.0.1(5432) idle', {}, false],
  ['', {}, false],
  ['postgres: hop count 10.0.0.7(5432) idle', { localAddress: '10.0.0.7', remoteAddress: '10.0.0.9' }, false],
  ['postgres: hop count 10.0.0.7(5432) idle', { localAddress: '10.0.0.7', remoteAddress: '10.0.0.7' }, false],
  ['postgres: hop count 127.0.0.1(5432) idle', { localAddress: undefined }, false],
  ['postgres: undefined count 127.0.0.1(5432) idle', { user: undefined }, false],
])('%s, %j: %s', (title, differences, isOwn) => {
  expect(isBackendOf(title, { ...ends, ...differences })).toBe(isOwn)
})

async function connect(url: string): Promise<DatabaseClient> {
  const client = new DatabaseClient({ connectionString: url })
  await client.connect()
  return client
}

/** A process that does nothing, under this title. */
function startSleeping(title: string): number {
  const { pid = 0 } = spawn('sleep', ['60'], { argv0: title, stdio: 'ignore' })
  endWithUs(pid)
  return pid
}

function threadsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map(Number)
}

/** Undefined where the kernel has no autogroups. */
function autogroupNice(pid: number): number | undefined {
  try {
    const [, text] = /nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8')) ?? []
    return text === undefined ? undefined : Number(text)
  } catch {
    return undefined
  }
}
