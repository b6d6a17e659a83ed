/** A process that can't do its work reports it immediately, one line per problem, and exits with code 1. */
import { existsSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { ConfigurationProblems, readConfiguration } from '../../apps/shared/configuration/configuration.ts'
import { freePort } from '../../apps/stack/processes/free-port.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import { shorten, spoolDirOf, startApi, startWorker, visit } from '../support/hopcount.ts'
import type { StartedProcess } from '../support/processes.ts'
import { startProcess } from '../support/processes.ts'
import { startStack } from '../support/stack.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'

let databaseUrl: string
beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
})

/** The lines written to standard error by a process that exits with code 1. */
async function linesOfFailedStart(started: StartedProcess): Promise<string[]> {
  expect(await started.exited).toEqual({ code: 1, signal: null })
  return started.stderr().trimEnd().split('\n')
}

/** What a start with these settings would report. */
function problemsOf(env: Record<string, string>): string[] {
  try {
    readConfiguration(env, { servesApi: true })
    return []
  } catch (error) {
    if (error instanceof ConfigurationProblems) return error.problems
    throw error
  }
}

function startApiWith(env: Record<string, string>): StartedProcess {
  return startProcess({ script: 'apps/api/main.ts', env: { LOG_LEVEL: 'info', ...env } })
}

describe('an invalid configuration', () => {
  test('is reported completely, each problem with its variable, before anything is opened', async () => {
    const folder = temporaryFolder()
    const started = startApiWith({
      DATABASE_URL: 'mysql://secret@127.0.0.1/hopcount',
      REDIS_URL: 'localhost:6379',
      PUBLIC_URL: 'https://hop.example/path',
      PORT: '80800',
      SPOOL_DIR: join(folder, 'spool'),
      SPOOL_FSYNC: 'yes',
      VISIT_LOSS: 'maybe',
      WEB_CONCURRENCY: 'many',
      CACHE_MAX_LINKS: '1',
      ALLOW_PRIVATE_TARGETS: 'perhaps',
      LOG_LEVEL: 'loud',
    })
    const lines = await linesOfFailedStart(started)
    const variables = lines.map(line => /^hopcount api: ([A-Z_]+) \S/.exec(line)?.[1])
    expect(variables.sort()).toEqual([
      'ALLOW_PRIVATE_TARGETS',
      'CACHE_MAX_LINKS',
      'DATABASE_URL',
      'LOG_LEVEL',
      'PORT',
      'PUBLIC_URL',
      'REDIS_URL',
      'SPOOL_FSYNC',
      'VISIT_LOSS',
      'WEB_CONCURRENCY',
    ])
    expect(started.stderr()).not.toContain('secret')
    // These lines only.
    expect(started.output()).toBe(started.stderr())
    expect(existsSync(join(folder, 'spool'))).toBe(false)
  })

  test('names missing variables', async () => {
    const lines = await linesOfFailedStart(startApiWith({}))
    expect(lines).toEqual([expect.stringMatching(/^hopcount api: DATABASE_URL is not set/)])
  })

  test.each([
    [{ PORT: '0', WEB_CONCURRENCY: '2' }, /^PORT 0 /],
    [{ SPOOL_DIR: `/tmp/${'x'.repeat(100)}` }, /^SPOOL_DIR is longer/],
    [{ PORT: '8080.5' }, /^PORT /],
    [{ PORT: '-1' }, /^PORT /],
    [{ TRUST_PROXY: 'all of them' }, /^TRUST_PROXY must list/],
    [{ TRUST_PROXY: '10.0.0.0/8, 0.0.0.0/0' }, /^TRUST_PROXY has a block so large/],
    [{ TRUST_PROXY: '::/0' }, /^TRUST_PROXY has a block so large/],
    [{ PORT: 'true' }, /^PORT /],
    [{ OWN_HOSTS: 'hop.example,https://hop.example' }, /^OWN_HOSTS must list hosts/],
    [{ OWN_HOSTS: 'a b' }, /^OWN_HOSTS must list hosts/],
    [{ RESERVED_SLUGS: 'acme,a/b' }, /^RESERVED_SLUGS must list words/],
    [{ HOST: '0.0.0.0' }, /^ACCESS is not set, .*ACCESS=keys.*ACCESS=open/],
    [{ HOST: '::' }, /^ACCESS is not set/],
    [{ HOST: 'hop.example' }, /^ACCESS is not set/],
    [{ ACCESS: 'closed' }, /^ACCESS must /],
    [{ ACCESS: 'open', PUBLIC_SHORTEN: 'true' }, /^PUBLIC_SHORTEN has no effect/],
    [{ PORT: '8080', METRICS_PORT: '8080' }, /^METRICS_PORT must differ/],
    [{ WEB_CONCURRENCY: '2', METRICS_PORT: '0' }, /^METRICS_PORT 0 /],
    [{ BRAND_URL: 'javascript:alert(1)' }, /^BRAND_URL /],
    [{ BRAND_URL: 'https://' }, /^BRAND_URL is not a URL/],
  ])('%j is one line', (env: Record<string, string>, line) => {
    expect(problemsOf({ DATABASE_URL: databaseUrl, ...env })).toEqual([expect.stringMatching(line)])
  })

  test('an empty variable counts as not set', async () => {
    const api = await startApi({ databaseUrl, env: { PUBLIC_URL: '', TRUST_PROXY: '', REDIS_URL: '' } })
    expect((await api.process.stop()).code).toBe(0)
  })
})

test('a setting that is probably misspelt is warned of, once, by each program and by npm start', async () => {
  const env = { REDIS_ULR: 'redis://:secret@127.0.0.1', WEB_CONCURRENCY: '2' }
  const api = await startApi({ databaseUrl, port: await freePort(), env })
  const worker = await startWorker({ databaseUrl, env })
  const stack = await startStack(temporaryFolder(), {
    DATABASE_URL: databaseUrl,
    SPOOL_DIR: spoolDirOf({ databaseUrl }),
    ...env,
  })
  await stack.waitForLine(/is ready/)
  for (const output of [api.process.output(), worker.output(), stack.output()]) {
    expect(output.split('\n').filter(line => line.includes('REDIS_ULR'))).toEqual([
      expect.stringContaining('is REDIS_URL meant?'),
    ])
    expect(output).not.toContain('secret')
  }
})

test('a port in use is reported in one line, and the process that has it is not affected', async () => {
  const spoolDir = spoolDirOf({ databaseUrl })
  const api = await startApi({ databaseUrl, spoolDir })
  const slug = await shorten(api.origin)
  const started = startApiWith({ DATABASE_URL: databaseUrl, PORT: String(api.port), SPOOL_DIR: spoolDir })
  expect(await linesOfFailedStart(started)).toEqual([expect.stringMatching(/^hopcount api: .*EADDRINUSE/)])
  expect(await visit(api.origin, slug)).toBe('https://example.com/')
})

test('an address that this machine does not have is reported in one line', async () => {
  const env = {
    DATABASE_URL: databaseUrl,
    HOST: '203.0.113.1',
    ACCESS: 'keys',
    PORT: '0',
    SPOOL_DIR: spoolDirOf({ databaseUrl }),
  }
  expect(await linesOfFailedStart(startApiWith(env))).toEqual([
    expect.stringMatching(/^hopcount api: .*EADDRNOTAVAIL/),
  ])
})

test('a spool folder that is not writable is reported in one line', async () => {
  const file = join(temporaryFolder(), 'file')
  writeFileSync(file, '')
  for (const SPOOL_DIR of [file, join(file, 'spool')]) {
    const started = startApiWith({ DATABASE_URL: databaseUrl, PORT: '0', SPOOL_DIR })
    expect(await linesOfFailedStart(started)).toEqual([
      expect.stringMatching(/^hopcount api: .*(EEXIST|ENOTDIR)/),
    ])
  }
})

test('the worker reports its metrics port the same way', async () => {
  const server = createServer()
  const port = await new Promise<number>(resolve => {
    server.listen(0, '127.0.0.1', () => resolve(Object(server.address()).port))
  })
  const started = startProcess({
    script: 'apps/worker/main.ts',
    env: {
      DATABASE_URL: databaseUrl,
      WORKER_METRICS_PORT: String(port),
      SPOOL_DIR: spoolDirOf({ databaseUrl }),
    },
  })
  const lines = await linesOfFailedStart(started)
  expect(lines).toEqual([expect.stringMatching(/^hopcount worker: .*EADDRINUSE/)])
  server.close()
})

test('a signal during the start stops the process in order', async () => {
  // Accepts connections and answers nothing: the start waits for its database.
  const server = createServer(socket => socket.on('error', () => {}))
  cleanUpLater(() => void server.close())
  const waiting = new Promise(resolve => server.once('connection', resolve))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const started = startApiWith({
    DATABASE_URL: `postgres://hopcount@127.0.0.1:${port}/hopcount`,
    SPOOL_DIR: temporaryFolder(),
  })
  await waiting
  expect(await started.stop()).toEqual({ code: 0, signal: null })
  expect(started.output()).toContain('"msg":"stopped"')
})
