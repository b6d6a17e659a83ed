/** Processes that need not be children of this one: whether they run, which one it is, and how to end them. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A signal, and how long to wait for the end of the process before the next one. */
export type SignalStep = [signal: NodeJS.Signals, patienceMs: number]

/**
 * The command line of a running process, or undefined if no such process runs (a zombie doesn't run).
 * A process id alone proves nothing: after a crash it may belong to an unrelated process.
 */
export function commandLine(pid: number): string | undefined {
  try {
    const text =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        : ps(pid, 'command=')
    return text.trim() || undefined
  } catch {
    return undefined
  }
}

/**
 * When a running process started, in a form that only serves to compare; undefined if no such process runs. Together
 * with its id it names one process for good, because an id that is used again belongs to a later start.
 */
export function startTime(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') return ps(pid, 'lstart=').trim() || undefined
    // pid (name) state …, the 22nd field is the start in clock ticks since boot; the name may hold blanks and brackets.
    // See proc_pid_stat(5).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function ps(pid: number, format: string): string {
  return execFileSync('ps', ['-o', format, '-p', String(pid)], { encoding: 'utf8' })
}

/**
 * Ends a process: sends the signals one after the other, each with its patience, while its command line is one that
 * `isOurs` knows. Returns false if even the last signal did not end it in time.
 */
export async function endProcess(
  pid: number,
  isOurs: (commandLine: string) => boolean,
  steps: SignalStep[],
): Promise<boolean> {
  const runs = () => {
    const command = commandLine(pid)
    return command !== undefined && isOurs(command)
  }
  return endWhileRunning(pid, runs, steps)
}

/** The same for the process that started at `startedAt` (see startTime). */
export async function endProcessStartedAt(
  pid: number,
  startedAt: string,
  steps: SignalStep[],
): Promise<boolean> {
  return endWhileRunning(pid, () => startTime(pid) === startedAt, steps)
}

async function endWhileRunning(pid: number, runs: () => boolean, steps: SignalStep[]): Promise<boolean> {
  for (const [signal, patienceMs] of steps) {
    if (!runs()) return true
    sendSignal(pid, signal)
    const deadline = performance.now() + patienceMs
    while (runs() && performance.now() < deadline) await sleep(20)
  }
  return !runs()
}

/** Sends a signal; it is no error if the process is gone already. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
