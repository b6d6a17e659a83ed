/** SIGHUP ends API and worker only where their terminal has been closed. */
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { commandLine } from '../../apps/stack/processes/running-process.ts'
import { shorten, spoolDirOf, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import { childrenOf } from '../support/process-tree.ts'
import { root } from '../support/processes.ts'
import { endWithUs } from '../support/run.ts'
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
