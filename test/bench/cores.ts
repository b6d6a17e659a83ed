/** Which core has what: the server under measurement on one, the generator on another, where there are two. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { childrenOf } from '../support/process-tree.ts'

export interface Cores {
  /** For taskset: `0`. Equal to `generator` where there is a single core, or no taskset. */
  server: string
  generator: string
  /** All that this process may use: `0-1`. */
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

/** Moves processes, with all of their threads and descendants, to the cores. What they start later follows them. */
export function pin(cores: Cores, to: string, ...pids: number[]): void {
  if (!cores.pinning) return
  for (const pid of pids.flatMap(processTree)) {
    // A process may end in this moment.
    spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', to, String(pid)], { stdio: 'ignore' })
  }
}

/** The command that runs another on the cores. */
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
