/** However `npm test` and `npm start` are ended: no process of theirs is left, and no folder. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../apps/stack/processes/free-port.ts'
import { commandLine, sendSignal } from '../../apps/stack/processes/running-process.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import { childrenOf, processesWith } from '../support/process-tree.ts'
import { root } from '../support/processes.ts'
import { endWithUs } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { waitUntil } from '../support/wait-until.ts'

const startDeadlineMs = 120_000
const endDeadlineMs = 30_000

interface NpmRun {
  npm: number
  bootstrap: number
  /** Vitest or the launcher. */
  program: number
  /** Command lines of all processes whose environment or arguments name the run's folder. */
  processes(): string[]
  /** What lies in its folder for temporary files. */
  folders(): string[]
}

/** Runs npm as a terminal does, in a process group of its own, and waits until everything has started. */
async function startNpm(
  args: string[],
  environment: Record<string, string>,
  hasStarted: (output: string) => boolean,
): Promise<NpmRun> {
  const folder = temporaryFolder()
  const temporary = join(folder, 't')
  mkdirSync(temporary)
  const child = spawn('npm', args, {
    cwd: root,
    detached: true,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TMPDIR: temporary,
      DATA_DIR: join(folder, 'data'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const npm = child.pid ?? 0
  endWithUs(npm)
  cleanUpLater(() => {
    for (const { pid } of processesWith(folder)) sendSignal(pid, 'SIGKILL')
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  await waitUntil(() => hasStarted(output), {
    what: `npm ${args.join(' ')} has started`,
    deadlineMs: startDeadlineMs,
  }).catch(error => {
    throw new Error(`${error.message}; output:\n${output}`)
  })
  const bootstrap = onlyChild(npm, 'bootstrap.mjs')
  return {
    npm,
    bootstrap,
    program: onlyChild(bootstrap, ''),
    processes: () => processesWith(folder).map(({ command }) => command),
    // npm and vitest share Node's cache of compiled code with all other programs.
    folders: () => readdirSync(temporary).filter(name => name !== 'node-compile-cache'),
  }
}

function onlyChild(pid: number, name: string): number {
  const children = childrenOf(pid).filter(child => commandLine(child)?.includes(name))
  if (children.length !== 1 || children[0] === undefined)
    throw new Error(`${commandLine(pid)} has ${children.length} children ${name}`)
  return children[0]
}

async function expectNothingLeft(run: NpmRun): Promise<void> {
  let left: string[] = []
  await waitUntil(
    () => {
      left = [...run.processes(), ...run.folders()]
      return left.length === 0
    },
    { what: 'no process and no folder is left', deadlineMs: endDeadlineMs },
  ).catch(error => {
    throw new Error(`${error.message}; left:\n${left.join('\n')}`)
  })
}

describe.skipIf(process.platform !== 'linux')('npm test leaves nothing behind', () => {
  async function startTest(): Promise<NpmRun & { fork: number }> {
    const readyFile = join(temporaryFolder(), 'ready')
    const run = await startNpm(
      ['test', '--', '--config', 'test/stack/interrupted-run/vitest.config.ts'],
      { HOPCOUNT_READY_FILE: readyFile },
      () => existsSync(readyFile) && readFileSync(readyFile, 'utf8') !== '',
    )
    // npm, bootstrap, vitest, fork, watchdog, two PostgreSQL, API and worker at least.
    expect(run.processes().length).toBeGreaterThan(8)
    return { ...run, fork: Number(readFileSync(readyFile, 'utf8')) }
  }

  it.for<[string, (run: NpmRun & { fork: number }) => void]>([
    ['Ctrl-C', run => sendSignal(-run.npm, 'SIGINT')],
    ['SIGTERM of npm', run => sendSignal(run.npm, 'SIGTERM')],
    ['SIGKILL of npm', run => sendSignal(run.npm, 'SIGKILL')],
    ['SIGKILL of the bootstrap', run => sendSignal(run.bootstrap, 'SIGKILL')],
    ['SIGTERM of vitest', run => sendSignal(run.program, 'SIGTERM')],
    ['SIGKILL of vitest', run => sendSignal(run.program, 'SIGKILL')],
    ['SIGKILL of a fork', run => sendSignal(run.fork, 'SIGKILL')],
  ])('after %s', { timeout: startDeadlineMs + endDeadlineMs }, async ([, end]) => {
    const run = await startTest()
    end(run)
    await expectNothingLeft(run)
  })
})

describe.skipIf(process.platform !== 'linux')('npm start leaves nothing behind', () => {
  it.for<[string, (run: NpmRun) => void]>([
    ['Ctrl-C', run => sendSignal(-run.npm, 'SIGINT')],
    ['SIGTERM of npm', run => sendSignal(run.npm, 'SIGTERM')],
    ['SIGKILL of npm', run => sendSignal(run.npm, 'SIGKILL')],
    ['SIGTERM of the bootstrap', run => sendSignal(run.bootstrap, 'SIGTERM')],
    ['SIGKILL of the bootstrap', run => sendSignal(run.bootstrap, 'SIGKILL')],
    ['SIGKILL of the launcher', run => sendSignal(run.program, 'SIGKILL')],
    [
      'SIGKILL of npm, bootstrap and launcher',
      run => {
        for (const pid of [run.npm, run.bootstrap, run.program]) sendSignal(pid, 'SIGKILL')
      },
    ],
  ])('after %s', { timeout: startDeadlineMs + endDeadlineMs }, async ([, end]) => {
    const run = await startNpm(
      ['start'],
      {
        PORT: String(await freePort()),
        WORKER_METRICS_PORT: '0',
      },
      output => output.includes('Hopcount is ready'),
    )
    expect(run.processes().length).toBeGreaterThan(5)
    end(run)
    await expectNothingLeft(run)
  })
})
