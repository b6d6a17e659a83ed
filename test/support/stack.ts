import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../apps/stack/processes/free-port.ts'
import { commandLine, sendSignal } from '../../apps/stack/processes/running-process.ts'
import { cleanUpLater } from './clean-up.ts'
import { childrenOf } from './process-tree.ts'
import type { StartedProcess } from './processes.ts'
import { startProcess } from './processes.ts'

/** `npm start` in a folder of its own, past the bootstrap. */
export interface TestStack extends StartedProcess {
  address: string
  /** Process ids of `api`, `worker` and `postmaster`, those that run. */
  parts(): Record<string, number>
  /** The launcher and all of its descendants: watchdog, API, worker, postmaster and its backends. */
  everyPid(): number[]
}

/** Returns as soon as the launcher runs; `waitForLine(/is ready/)` waits for the rest. */
export async function startStack(
  folder: string,
  environment: Record<string, string> = {},
): Promise<TestStack> {
  const port = environment.PORT ?? String(await freePort())
  const launcher = startProcess({
    script: 'apps/stack/start.ts',
    cwd: folder,
    env: { WORKER_METRICS_PORT: '0', ...environment, PORT: port },
    endedBy: [
      ['SIGTERM', 6_000],
      ['SIGKILL', 2_000],
    ],
  })

  function parts(): Record<string, number> {
    const pids = readJson(join(folder, '.data/processes'))
    const pidFile = join(folder, '.data/postgres/postmaster.pid')
    const postmaster = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').split('\n')[0]) : undefined
    const all: [string, number | undefined][] = Object.entries({ ...pids, postmaster })
    return Object.fromEntries(all.filter((part): part is [string, number] => runs(part[1])))
  }

  function everyPid(): number[] {
    const top = [launcher.pid, ...Object.values(parts())]
    return [...new Set(top.flatMap(pid => [pid, ...childrenOf(pid)]))].filter(
      pid => commandLine(pid) !== undefined,
    )
  }

  // Parts of a launcher that was killed may still run when a test fails.
  cleanUpLater(() => {
    for (const pid of everyPid()) sendSignal(pid, 'SIGKILL')
  })
  return { ...launcher, address: `http://127.0.0.1:${port}`, parts, everyPid }
}

function runs(pid: number | undefined): boolean {
  return pid !== undefined && commandLine(pid) !== undefined
}

function readJson(file: string): Record<string, number> {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}
