import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commandLine, sendSignal } from '../../apps/stack/processes/running-process.ts'
import { nightlyTest } from '../support/nightly.ts'
import { startProcess } from '../support/processes.ts'
import { anyRedis, anyRedisAvailable } from '../support/redis.ts'
import type { TestStack } from '../support/stack.ts'
import { startStack } from '../support/stack.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

async function shorten(stack: TestStack): Promise<string> {
  const response = await fetch(`${stack.address}/shorten`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ long_url: 'https://example.com/page' }),
  })
  expect(response.status).toBe(201)
  const { slug } = (await response.json()) as { slug: string }
  return slug
}

async function visit(stack: TestStack, slug: string): Promise<void> {
  const response = await fetch(`${stack.address}/${slug}`, { redirect: 'manual' })
  expect(response.status).toBe(307)
}

async function visitsOf(stack: TestStack, slug: string): Promise<number> {
  const response = await fetch(`${stack.address}/stats/${slug}`)
  return ((await response.json()) as { visits: number }).visits
}

function counted(stack: TestStack, slug: string, visits: number): Promise<boolean> {
  return waitUntil(async () => (await visitsOf(stack, slug)) === visits, {
    what: `${visits} visits are counted`,
  })
}

/** The watchdog leaves a moment after the launcher; nothing-left.test.ts checks that it does. */
const running = (pids: number[]) =>
  pids.filter(pid => commandLine(pid)?.includes('watchdog-process.ts') === false)

/** Several start at the same time, on a machine that runs other tests. */
const readyDeadlineMs = 90_000

// Mostly they wait: for what starts, and for what ends.
describe.concurrent('npm start', { timeout: 4 * readyDeadlineMs }, () => {
  it('serves and counts on fresh data, stops everything on SIGTERM, and finds its data again', async () => {
    const folder = temporaryFolder()
    const first = await startStack(folder)
    await first.waitForLine(/^Hopcount is ready at http:\/\/127\.0\.0\.1:\d+$/, readyDeadlineMs)
    expect(Object.keys(first.parts()).sort()).toEqual(['api', 'postmaster', 'worker'])
    const { api = 0, worker = 0 } = first.parts()
    // The tests may run at low priority themselves.
    expect([getPriority(api), getPriority(worker)]).toEqual([getPriority(), Math.max(getPriority(), 5)])
    const slug = await shorten(first)
    await visit(first, slug)
    await counted(first, slug, 1)
    // Commands find its database by themselves.
    const verify = startProcess({ script: 'apps/worker/verify.ts', cwd: folder })
    expect(await verify.exited).toMatchObject({ code: 0 })
    const pids = first.everyPid()
    expect(pids.length).toBeGreaterThan(4)
    expect(await first.stop()).toEqual({ code: 0, signal: null })
    expect(running(pids)).toEqual([])
    expect(first.stderr()).toBe('')

    const second = await startStack(folder)
    await second.waitForLine(/is ready/, readyDeadlineMs)
    await visit(second, slug)
    await counted(second, slug, 2)
  })

  it('refuses to start twice on the same folder; the first one continues', async () => {
    const folder = temporaryFolder()
    const first = await startStack(folder)
    await first.waitForLine(/is ready/, readyDeadlineMs)
    const second = await startStack(folder)
    expect((await second.exited).code).toBe(1)
    expect(second.output()).toBe(
      `hopcount: Hopcount runs already on ${folder}/.data (process ${first.pid}): stop that one first\n`,
    )
    await shorten(first)
  })

  // crash.test.ts does so under load.
  nightlyTest(
    'restarts immediately after a SIGKILL of everything, and every answered visit is counted',
    async () => {
      const folder = temporaryFolder()
      let stack = await startStack(folder)
      await stack.waitForLine(/is ready/, readyDeadlineMs)
      const slug = await shorten(stack)
      for (let round = 1; round <= 2; round++) {
        for (let i = 0; i < 10; i++) await visit(stack, slug)
        for (const pid of stack.everyPid()) sendSignal(pid, 'SIGKILL')
        stack = await startStack(folder)
        await stack.waitForLine(/is ready/, readyDeadlineMs)
        await counted(stack, slug, round * 10)
      }
    },
  )

  nightlyTest('restarts immediately after a SIGKILL of the launcher alone, on the same port', async () => {
    const folder = temporaryFolder()
    const first = await startStack(folder)
    await first.waitForLine(/is ready/, readyDeadlineMs)
    const slug = await shorten(first)
    const pids = first.everyPid()
    sendSignal(first.pid, 'SIGKILL')
    const second = await startStack(folder, { PORT: new URL(first.address).port })
    await second.waitForLine(/is ready/, readyDeadlineMs)
    expect(running(pids)).toEqual([])
    await visit(second, slug)
    await counted(second, slug, 1)
  })

  it('restarts each component that dies', async () => {
    const stack = await startStack(temporaryFolder())
    await stack.waitForLine(/is ready/, readyDeadlineMs)
    const slug = await shorten(stack)
    for (const part of ['worker', 'postmaster', 'api'] as const) {
      const pid = stack.parts()[part] ?? 0
      sendSignal(pid, 'SIGKILL')
      await waitUntil(() => (stack.parts()[part] ?? pid) !== pid, { what: `${part} runs again` })
    }
    await waitUntil(async () => (await fetch(`${stack.address}/readyz`)).status === 200, {
      what: 'all is ready again',
    })
    await visit(stack, slug)
    await counted(stack, slug, 1)
    expect(await stack.stop()).toEqual({ code: 0, signal: null })
  })

  nightlyTest(
    'ends soon after SIGTERM even if API and worker do not react; answered visits are counted later',
    async () => {
      const folder = temporaryFolder()
      const first = await startStack(folder)
      await first.waitForLine(/is ready/, readyDeadlineMs)
      const slug = await shorten(first)
      await visit(first, slug)
      const pids = first.everyPid()
      for (const part of ['api', 'worker']) sendSignal(first.parts()[part] ?? 0, 'SIGSTOP')
      // 15 s are promised; waiting for each part as long as it may take would be more than 30.
      expect(await first.stop(25_000)).toEqual({ code: 0, signal: null })
      expect(running(pids)).toEqual([])
      expect(first.stderr()).toMatch(/the api did not stop in time and was killed/)
      const second = await startStack(folder)
      await second.waitForLine(/is ready/, readyDeadlineMs)
      await counted(second, slug, 1)
    },
  )

  nightlyTest('opens no inspector on SIGUSR1', async () => {
    const stack = await startStack(temporaryFolder())
    await stack.waitForLine(/is ready/, readyDeadlineMs)
    const { api = 0, worker = 0 } = stack.parts()
    for (const pid of [api, worker]) sendSignal(pid, 'SIGUSR1')
    const slug = await shorten(stack)
    await visit(stack, slug)
    await counted(stack, slug, 1)
    expect(stack.output()).not.toMatch(/Debugger/)
    expect(stack.parts()).toMatchObject({ api, worker })
  })

  it('stops what was started on SIGINT during a start, and recreates an incomplete cluster', async () => {
    const folder = temporaryFolder()
    for (const delayMs of [150, 400, 800, 1_500]) {
      const stack = await startStack(folder)
      await new Promise(resolve => setTimeout(resolve, delayMs))
      const pids = stack.everyPid()
      stack.kill('SIGINT')
      await stack.exited
      expect(running(pids)).toEqual([])
    }
    mkdirSync(join(folder, '.data/postgres.new/base'), { recursive: true })
    const stack = await startStack(folder)
    await stack.waitForLine(/is ready/, readyDeadlineMs)
  })

  it('reports all configuration errors together, and opens nothing', async () => {
    const folder = temporaryFolder()
    const stack = await startStack(folder, {
      PORT: 'eighty',
      LOG_LEVEL: 'loud',
      REDIS_URL: 'http://x',
      WEB_CONCURRENCY: '0',
    })
    expect((await stack.exited).code).toBe(1)
    const lines = stack.stderr().trimEnd().split('\n')
    expect(lines.map(line => /^hopcount: (\w+) /.exec(line)?.[1]).sort()).toEqual([
      'LOG_LEVEL',
      'PORT',
      'REDIS_URL',
      'WEB_CONCURRENCY',
    ])
    expect(existsSync(join(folder, '.data'))).toBe(false)
  })

  it('reports in one line that the port is in use, and leaves nothing running', async () => {
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    const folder = temporaryFolder()
    const stack = await startStack(folder, { PORT: String((other.address() as AddressInfo).port) })
    expect((await stack.exited).code).toBe(1)
    expect(stack.output()).toMatch(/^hopcount: can't listen on port \d+ of 127\.0\.0\.1: it is in use .*\n$/)
    expect(stack.parts()).toEqual({})
    other.close()
  })

  it('reports in one line, without the password, that a database refuses it', async () => {
    const url = new URL((await createTestDatabase()).url)
    url.password = 'not-the-right-one'
    const stack = await startStack(temporaryFolder(), { DATABASE_URL: url.href })
    expect((await stack.exited).code).toBe(1)
    expect(stack.output()).toMatch(
      /^hopcount: PostgreSQL on 127\.0\.0\.1:\d+: password authentication failed for user "\w+"\n$/,
    )
  })

  it.skipIf(!anyRedisAvailable())('uses the PostgreSQL and the Redis that it is given', async () => {
    const folder = temporaryFolder()
    const stack = await startStack(folder, {
      DATABASE_URL: (await createTestDatabase()).url,
      REDIS_URL: (await anyRedis()).url,
    })
    await stack.waitForLine(/is ready/, readyDeadlineMs)
    const slug = await shorten(stack)
    await visit(stack, slug)
    await counted(stack, slug, 1)
    expect(readdirSync(join(folder, '.data')).sort()).toEqual(['processes', 'spool'])
    expect(await stack.stop()).toEqual({ code: 0, signal: null })
  })

  it('works in a folder with a path too long for a Unix socket', async () => {
    const folder = join(temporaryFolder(), 'deep'.repeat(20), 'deeper'.repeat(20))
    mkdirSync(folder, { recursive: true })
    const stack = await startStack(folder, { TMPDIR: temporaryFolder() })
    await stack.waitForLine(/is ready/, readyDeadlineMs)
    const slug = await shorten(stack)
    await visit(stack, slug)
    await counted(stack, slug, 1)
  })
})

describe('npm run migrate', () => {
  it('reports an error in one line', async () => {
    const unset = startProcess({ script: 'apps/stack/migrate.ts' })
    expect((await unset.exited).code).toBe(1)
    expect(unset.output()).toMatch(/^migrate: .*DATABASE_URL is (not )?set .*\n$/)
  })

  it('can be repeated', async () => {
    const { url } = await createTestDatabase()
    const again = startProcess({ script: 'apps/stack/migrate.ts', env: { DATABASE_URL: url } })
    expect((await again.exited).code).toBe(0)
  })
})
