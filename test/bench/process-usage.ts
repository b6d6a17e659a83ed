/** Resources used by a process and its descendants, from /proc. */
import { readFileSync } from 'node:fs'
import { clockTicksPerSecond, processTree } from './cores.ts'
import type { Summary } from './summary.ts'
import { summarize } from './summary.ts'

const ticksPerSecond = clockTicksPerSecond()

/** CPU seconds (user and system) so far, including ended children, in steps of a clock tick. See proc_pid_stat(5). */
export function cpuSeconds(...pids: number[]): number {
  let ticks = 0
  for (const pid of new Set(pids.flatMap(processTree))) {
    const stat = readOrNothing(`/proc/${pid}/stat`)
    // After the name, which may contain spaces: utime, stime, cutime and cstime are fields 14 to 17.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    for (const field of fields.slice(11, 15)) ticks += Number(field)
  }
  return ticks / ticksPerSecond
}

/** Resident memory in MB (10^6 bytes) of the process and its children; shared pages are counted per process. */
function residentMegabytes(pid: number): number {
  let kilobytes = 0
  for (const each of processTree(pid)) {
    kilobytes += Number(/^VmRSS:\s+(\d+) kB/m.exec(readOrNothing(`/proc/${each}/status`))?.[1] ?? 0)
  }
  return (kilobytes * 1_024) / 1e6
}

/** Samples resident memory until stopped. */
export function watchMemory(pid: number, everyMs = 100): () => Summary {
  const samples: number[] = []
  const timer = setInterval(() => samples.push(residentMegabytes(pid)), everyMs)
  return () => {
    clearInterval(timer)
    samples.push(residentMegabytes(pid))
    return summarize(samples)
  }
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
