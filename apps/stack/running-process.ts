import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * The command line of a running process, or undefined where no such process runs (a zombie doesn't run).
 * A process id alone proves nothing: after a crash it may belong to somebody else's process.
 */
export function commandLine(pid: number): string | undefined {
  try {
    const text =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        : execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
    return text.trim() || undefined
  } catch {
    return undefined
  }
}

/**
 * Ends a process that isn't a child of this one: sends the signals one after the other, each with its patience,
 * until `isOurs` no longer knows the process. Returns false when even the last signal did not end it in time.
 */
export async function endProcess(
  pid: number,
  isOurs: (commandLine: string) => boolean,
  signals: [signal: NodeJS.Signals, patienceMs: number][],
): Promise<boolean> {
  const runs = () => {
    const command = commandLine(pid)
    return command !== undefined && isOurs(command)
  }
  for (const [signal, patienceMs] of signals) {
    if (!runs()) return true
    sendSignal(pid, signal)
    const deadline = Date.now() + patienceMs
    while (runs() && Date.now() < deadline) await sleep(20)
  }
  return !runs()
}

/** Sends a signal; a process that is gone already is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
