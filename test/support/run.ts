/**
 * A run: vitest with its forks, or one script. Everything temporary lies in the run's folder, and everything that is
 * started is noted with the run's watchdog (apps/stack/processes/watchdog.ts): whatever kills vitest, a fork or the script, no process
 * and no folder is left.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SignalStep } from '../../apps/stack/processes/running-process.ts'
import type { Watchdog } from '../../apps/stack/processes/watchdog.ts'
import { joinWatchdog, startWatchdog } from '../../apps/stack/processes/watchdog.ts'

const folderVariable = 'HOPCOUNT_TEST_RUN'
let run: { folder: string; watchdog: Watchdog } | undefined

/**
 * Begins a run with this process, unless it belongs to one. Temporary folders of this process and of those that it starts,
 * browser profiles included, are made in the run's folder.
 */
function openRun(): { folder: string; watchdog: Watchdog } {
  if (run !== undefined) return run
  const folder = mkdtempSync(join(tmpdir(), 'hop-'))
  run = { folder, watchdog: startWatchdog(folder) }
  process.env[folderVariable] = folder
  process.env.TMPDIR = folder
  return run
}

/** The watchdog removes it when the run is over. */
export function runFolder(): string {
  return openRun().folder
}

/** A fork of vitest belongs to the run that vitest has begun. */
export async function joinRun(): Promise<void> {
  const folder = process.env[folderVariable]
  if (folder === undefined) throw new Error(`${folderVariable} is not set: global-setup.ts did not run`)
  run ??= { folder, watchdog: await joinWatchdog(folder) }
}

const kill: SignalStep[] = [['SIGKILL', 5_000]]

/** A process that must not outlive this one. */
export function endWithUs(pid: number, steps = kill): void {
  openRun().watchdog.endAfterUs(pid, steps)
}
