/**
 * However `npm test` and `npm start` are ended: no process of theirs is left, and no folder. The gate tries the ends that
 * differ most; the nightly run (HOPCOUNT_NIGHTLY=1) all of them, and row 35 of the fault matrix does so under load.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../apps/stack/processes/free-port.ts'
import { sendSignal } from '../../apps/stack/processes/running-process.ts'
import { isNightly } from '../support/nightly.ts'
import type { NpmRun } from '../support/npm-run.ts'
import { npmStartDeadlineMs, startNpm, waitUntilNothingIsLeft } from '../support/npm-run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const endDeadlineMs = 30_000

/** How a run is ended; true: the gate tries it. */
type End<Run> = [string, boolean, (run: Run) => void]

function endsToTry<Run>(ends: End<Run>[]): End<Run>[] {
  return isNightly ? ends : ends.filter(([, inGate]) => inGate)
}

// Mostly they wait: for what starts, and for what ends.
describe.skipIf(process.platform !== 'linux').concurrent('npm test leaves nothing behind', () => {
  async function startTest(): Promise<NpmRun & { fork: number }> {
    const readyFile = join(temporaryFolder(), 'ready')
    const run = await startNpm(['test', '--', '--config', 'test/stack/interrupted-run/vitest.config.ts'], {
      environment: { HOPCOUNT_READY_FILE: readyFile },
      hasStarted: () => existsSync(readyFile) && readFileSync(readyFile, 'utf8') !== '',
    })
    // npm, bootstrap, vitest, fork, watchdog, two PostgreSQL, API and worker at least.
    expect(run.processes().length).toBeGreaterThan(8)
    return { ...run, fork: Number(readFileSync(readyFile, 'utf8')) }
  }

  const ends: End<NpmRun & { fork: number }>[] = [
    ['Ctrl-C', false, run => sendSignal(-run.npm, 'SIGINT')],
    ['SIGTERM of npm', false, run => sendSignal(run.npm, 'SIGTERM')],
    ['SIGKILL of npm', false, run => sendSignal(run.npm, 'SIGKILL')],
    ['SIGKILL of the bootstrap', false, run => sendSignal(run.bootstrap, 'SIGKILL')],
    ['SIGTERM of vitest', false, run => sendSignal(run.program, 'SIGTERM')],
    ['SIGKILL of vitest', true, run => sendSignal(run.program, 'SIGKILL')],
    ['SIGKILL of a fork', false, run => sendSignal(run.fork, 'SIGKILL')],
  ]
  it.for(endsToTry(ends))('after %s', { timeout: npmStartDeadlineMs + endDeadlineMs }, async ([, , end]) => {
    const run = await startTest()
    end(run)
    await waitUntilNothingIsLeft(run, endDeadlineMs)
  })
})

describe.skipIf(process.platform !== 'linux').concurrent('npm start leaves nothing behind', () => {
  const ends: End<NpmRun>[] = [
    ['Ctrl-C', true, run => sendSignal(-run.npm, 'SIGINT')],
    ['SIGTERM of npm', false, run => sendSignal(run.npm, 'SIGTERM')],
    ['SIGKILL of npm', false, run => sendSignal(run.npm, 'SIGKILL')],
    ['SIGTERM of the bootstrap', false, run => sendSignal(run.bootstrap, 'SIGTERM')],
    ['SIGKILL of the bootstrap', false, run => sendSignal(run.bootstrap, 'SIGKILL')],
    ['SIGKILL of the launcher', false, run => sendSignal(run.program, 'SIGKILL')],
    [
      'SIGKILL of npm, bootstrap and launcher',
      true,
      run => {
        for (const pid of [run.npm, run.bootstrap, run.program]) sendSignal(pid, 'SIGKILL')
      },
    ],
  ]
  it.for(endsToTry(ends))('after %s', { timeout: npmStartDeadlineMs + endDeadlineMs }, async ([, , end]) => {
    const run = await startNpm(['start'], {
      environment: { PORT: String(await freePort()), WORKER_METRICS_PORT: '0' },
      hasStarted: output => output.includes('Hopcount is ready'),
    })
    expect(run.processes().length).toBeGreaterThan(5)
    end(run)
    await waitUntilNothingIsLeft(run, endDeadlineMs)
  })
})
