/** SIGHUP ends API and worker only where their terminal has been closed; a reader of their output that ends is no reason. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { freePort } from '../../apps/stack/processes/free-port.ts'
import { commandLine, sendSignal } from '../../apps/stack/processes/running-process.ts'
import { shorten, spoolDirOf, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import { childrenOf } from '../support/process-tree.ts'
import { root } from '../support/processes.ts'
import { endWithUs } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

let databaseUrl: string
beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
})

test('without a terminal, API and worker go on after SIGHUP, and log it', async () => {
  const api = await startApi({ databaseUrl })
  const worker = await startWorker({ databaseUrl })
  const slug = await shorten(api.origin)
  for (const part of [api.process, worker]) {
    part.kill('SIGHUP')
    await part.waitForLine(/SIGHUP is ignored/)
  }
  await sleep(500)
  await visit(api.origin, slug)
  await waitForVisits(api.origin, slug, 1)
  // They still end in order.
  for (const part of [api.process, worker]) expect(await part.stop()).toEqual({ code: 0, signal: null })
})

test('npm start, API and worker go on when nobody reads their output any more', async () => {
  const [folder, port] = [temporaryFolder(), await freePort()]
  const { url } = await createTestDatabase()
  const launcher = spawn(process.execPath, [join(root, 'apps/stack/start.ts')], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: url,
      PORT: String(port),
      WORKER_METRICS_PORT: '0',
      LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  endWithUs(launcher.pid ?? 0, [['SIGTERM', 6_000]])
  const ended = once(launcher, 'exit')
  launcher.stdout.destroy()
  launcher.stderr.destroy()
  const api = `http://127.0.0.1:${port}`
  const slug = await waitUntil(() => shorten(api), { what: 'it runs' })
  // Each writes a line.
  const parts: Record<string, number> = JSON.parse(readFileSync(join(folder, '.data/processes'), 'utf8'))
  for (const part of ['api', 'worker']) sendSignal(parts[part] ?? 0, 'SIGHUP')
  await visit(api, slug)
  await waitForVisits(api, slug, 1)
  launcher.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

test.skipIf(process.platform !== 'linux').each(['api', 'worker'])(
  'the %s ends when its terminal is closed',
  async part => {
    // script(1) gives it a terminal, which is closed with script itself.
    const terminal = spawn(
      'script',
      ['-qfc', `exec '${process.execPath}' apps/${part}/main.ts`, '/dev/null'],
      {
        cwd: root,
        env: {
          PATH: process.env.PATH,
          DATABASE_URL: databaseUrl,
          SPOOL_DIR: spoolDirOf({ databaseUrl }),
          PORT: '0',
          WORKER_METRICS_PORT: '0',
        },
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    endWithUs(terminal.pid ?? 0)
    let output = ''
    terminal.stdout.setEncoding('utf8').on('data', text => {
      output += text
    })
    await waitUntil(() => /Server listening|recording visits/.test(output), { what: 'it runs' })
    const [pid] = childrenOf(terminal.pid ?? 0)
    if (pid === undefined) throw new Error('it has no process')
    endWithUs(pid)
    terminal.kill('SIGKILL')
    await waitUntil(() => commandLine(pid) === undefined, { what: 'it has ended' })
  },
)
