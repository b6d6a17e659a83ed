/** What runs on which core: with two or more, the measured server on one and the generator on another. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { childrenOf } from '../support/process-tree.ts'

export interface Cores {
  /** For taskset, such as `0`. Equal to `generator` if there is only one core, or no taskset. */
  server: string
  generator: string
  /** All cores that this process may use, such as `0-1`. */
  all: string
  count: number
  pinning: boolean
}

export function chooseCores(): Cores {
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  const pinning = spawnSync('taskset', ['--version']).status === 0
  const list = listCores(allowed)
  const [first = '0', second = first] = list
  return { server: first, generator: second, all: allowed, count: list.length, pinning }
}

function listCores(list: string): string[] {
  return list.split(',').flatMap(range => {
    const [from = 0, to = from] = range.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => String(from + i))
  })
}

/** Moves processes to the cores, with all their threads and descendants; what they start later inherits the cores. */
export function pin(cores: Cores, to: string, ...pids: number[]): void {
  if (!cores.pinning) return
  for (const pid of pids.flatMap(processTree)) {
    // A process may end at this moment.
    spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', to, String(pid)], { stdio: 'ignore' })
  }
}

/** Moves this process without its children; what it starts later inherits the cores. */
export function pinThisProcess(cores: Cores, to: string): void {
  if (!cores.pinning) return
  spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', to, String(process.pid)], { stdio: 'ignore' })
}

/** Wraps a command so that it runs on the cores. */
export function pinnedCommand(cores: Cores, to: string, command: string[]): [string, string[]] {
  const [file = '', ...args] = cores.pinning ? ['taskset', '--cpu-list', to, ...command] : command
  return [file, args]
}

export function processTree(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)]
}

export function clockTicksPerSecond(): number {
  return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
}
