/**
 * A program that is kept running: started as a process of its own, and started again when it ends by itself, each
 * time after a longer wait. It is in a process group of its own, so that Ctrl-C reaches the launcher only, and has an
 * IPC channel to it: when the launcher dies, the program sees `disconnect` and stops by itself.
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { createRestartBackoff } from './restart-backoff.ts'

export interface SupervisedProcess {
  /** Resolves with the exit code when the program has ended by itself for the first time. */
  firstFailure: Promise<number | undefined>
  /** Ends the program as `stop` does, and starts it again at once. Overlapping calls become one restart more. */
  restart(patienceMs: number): Promise<void>
  /**
   * SIGTERM, then SIGKILL when the patience is over. Nothing is started again. Resolves when the process is gone: true if
   * it had to be killed.
   */
  stop(patienceMs: number): Promise<boolean>
  kill(): void
}

export interface SupervisedProcessOptions {
  name: string
  script: string
  /** Options of Node itself, before the script. */
  nodeOptions: string[]
  environment: NodeJS.ProcessEnv
  onSpawn: (pid: number) => void
  onRestart: (name: string, reason: string, delayMs: number) => void
  /** False while the launcher is still starting: a program that ends then is not started again. */
  restarts: () => boolean
}

export function superviseProcess(options: SupervisedProcessOptions): SupervisedProcess {
  const backoff = createRestartBackoff()
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  let stopping = false
  let restarting: Promise<void> | undefined
  let restartAgain = false
  let reportFailure: (code: number | undefined) => void
  const firstFailure = new Promise<number | undefined>(resolve => {
    reportFailure = resolve
  })

  function start(): void {
    backoff.started()
    const started = spawn(process.execPath, [...options.nodeOptions, options.script], {
      // One malloc arena: apps/decisions/0007-memory-limits.md.
      env: { MALLOC_ARENA_MAX: '1', ...options.environment },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    })
    child = started
    if (started.pid !== undefined) options.onSpawn(started.pid)
    const onEnd = (reason: string, code: number | undefined) => {
      if (child !== started) return
      child = undefined
      if (stopping || restarting !== undefined) return
      reportFailure(code)
      if (!options.restarts()) return
      const delayMs = backoff.nextDelayMs()
      options.onRestart(options.name, reason, delayMs)
      timer = setTimeout(start, delayMs)
    }
    started.once('error', error => onEnd(error.message, undefined))
    started.once('exit', (code, signal) => onEnd(signal ?? `exit code ${code}`, code ?? undefined))
  }

  async function end(patienceMs: number): Promise<boolean> {
    clearTimeout(timer)
    const running = child
    if (running === undefined) return false
    const ended = new Promise<void>(resolve => {
      running.once('exit', () => resolve())
      running.once('error', () => resolve())
    })
    running.kill('SIGTERM')
    let killed = false
    const impatient = setTimeout(() => {
      killed = running.kill('SIGKILL')
    }, patienceMs)
    await ended
    clearTimeout(impatient)
    return killed
  }

  async function restartOnce(patienceMs: number): Promise<void> {
    do {
      restartAgain = false
      await end(patienceMs)
      if (!stopping) start()
    } while (restartAgain && !stopping)
    restarting = undefined
  }

  start()
  return {
    firstFailure,
    restart(patienceMs) {
      restartAgain = true
      restarting ??= restartOnce(patienceMs)
      return restarting
    },
    stop(patienceMs) {
      stopping = true
      return end(patienceMs)
    },
    kill: () => void child?.kill('SIGKILL'),
  }
}
