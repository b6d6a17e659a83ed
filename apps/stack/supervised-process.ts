/**
 * A program that is kept running: started as a process of its own, and again when it ends by itself, each time
 * after a longer wait. It is in a process group of its own, so that Ctrl-C reaches the launcher alone, and has an IPC
 * channel to it: when the launcher dies, the program sees `disconnect` and stops by itself.
 */

import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'

export interface KeptProcess {
  readonly pid: number | undefined
  /** Resolves with the exit code when the program has ended for the first time without having been asked to. */
  firstFailure: Promise<number | undefined>
  /** SIGTERM, and SIGKILL after the patience. Nothing starts again. Returns when the process is gone. */
  stop(patienceMs: number): Promise<void>
  kill(): void
}

export interface KeptProcessOptions {
  name: string
  script: string
  environment: NodeJS.ProcessEnv
  onStart?: (pid: number) => void
  onRestart: (name: string, reason: string, delayMs: number) => void
  /** False while the launcher still starts: then a program that ends is not started again. */
  restarts: () => boolean
}

const firstDelayMs = 500
const longestDelayMs = 30_000
/** Who ran that long has recovered: the next wait is the short one again. */
const steadyAfterMs = 60_000

export function keepProcess(options: KeptProcessOptions): KeptProcess {
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  let stopping = false
  let delayMs = firstDelayMs
  let reportFailure: (code: number | undefined) => void
  const firstFailure = new Promise<number | undefined>(resolve => {
    reportFailure = resolve
  })

  function start(): void {
    const startedAt = Date.now()
    // Limits memory: apps/decisions/0007-memory-limits.md.
    const started = spawn(process.execPath, ['--max-semi-space-size=8', options.script], {
      env: { MALLOC_ARENA_MAX: '1', ...options.environment },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    })
    child = started
    if (started.pid !== undefined) options.onStart?.(started.pid)
    const onEnd = (reason: string, code: number | undefined) => {
      if (child !== started) return
      child = undefined
      reportFailure(code)
      if (stopping || !options.restarts()) return
      if (Date.now() - startedAt > steadyAfterMs) delayMs = firstDelayMs
      options.onRestart(options.name, reason, delayMs)
      timer = setTimeout(start, delayMs)
      delayMs = Math.min(delayMs * 2, longestDelayMs)
    }
    started.once('error', error => onEnd(error.message, undefined))
    started.once('exit', (code, signal) => onEnd(signal ?? `exit code ${code}`, code ?? undefined))
  }

  async function stop(patienceMs: number): Promise<void> {
    stopping = true
    clearTimeout(timer)
    const running = child
    if (running === undefined) return
    const ended = new Promise<void>(resolve => running.once('exit', () => resolve()))
    running.kill('SIGTERM')
    const impatient = setTimeout(() => running.kill('SIGKILL'), patienceMs)
    await ended
    clearTimeout(impatient)
  }

  start()
  return {
    get pid() {
      return child?.pid
    },
    firstFailure,
    stop,
    kill: () => void child?.kill('SIGKILL'),
  }
}
