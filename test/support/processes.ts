import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SignalStep } from '../../apps/stack/processes/running-process.ts'
import { sendSignal } from '../../apps/stack/processes/running-process.ts'
import { cleanUpLater } from './clean-up.ts'
import { endWithUs } from './run.ts'
import { waitUntil } from './wait-until.ts'

/** The project's root folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export interface StartedProcess {
  pid: number
  /** Everything written so far to standard output and standard error. */
  output(): string
  stderr(): string
  /** The first line, written before or after the call, that matches. Throws if the process ends without it. */
  waitForLine(pattern: RegExp, deadlineMs?: number): Promise<string>
  kill(signal?: NodeJS.Signals): void
  /** Resolves when the process has ended. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** SIGTERM, then SIGKILL if that doesn't end it in time. */
  stop(deadlineMs?: number): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export interface ProcessOptions {
  /** Path from the project's root, for example `apps/api/main.ts`. */
  script: string
  /** Added to PATH, HOME, TMPDIR and NODE_COMPILE_CACHE; nothing else of the test's own environment is passed on. */
  env?: Record<string, string>
  args?: string[]
  cwd?: string
  /** Keeps an IPC channel open, as the launcher does: `disconnect` in the child when this process ends. */
  ipc?: boolean
  /** The most file descriptors that it may have open (`ulimit -n`). */
  descriptors?: number | undefined
  /** How the watchdog ends it if this process is killed; SIGKILL by default. */
  endedBy?: SignalStep[]
}

/** Starts one of the programs with this Node. It is ended after the test file in any case. */
export function startProcess(options: ProcessOptions): StartedProcess {
  const command = [process.execPath, join(root, options.script), ...(options.args ?? [])]
  const limited = ['sh', '-c', 'ulimit -n "$0" && exec "$@"', String(options.descriptors)]
  const [program = '', ...args] = options.descriptors === undefined ? command : [...limited, ...command]
  const child = spawn(program, args, {
    cwd: options.cwd ?? root,
    env: { ...pick(process.env, ['PATH', 'HOME', 'TMPDIR', 'NODE_COMPILE_CACHE']), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`could not start ${options.script}`)
  endWithUs(pid, options.endedBy)
  let output = ''
  let stderr = ''
  let running = true
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output += text
    stderr += text
  })
  // 'close' and not 'exit': by then all of its output has been read.
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(resolve => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  child.once('exit', () => {
    running = false
  })

  function kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    if (running) sendSignal(pid ?? 0, signal)
  }

  async function stop(deadlineMs = 30_000) {
    kill('SIGTERM')
    const timer = setTimeout(kill, deadlineMs, 'SIGKILL')
    const result = await exited
    clearTimeout(timer)
    return result
  }

  async function waitForLine(pattern: RegExp, deadlineMs = 30_000): Promise<string> {
    const found = await waitUntil(
      () => output.split('\n').find(line => pattern.test(line)) ?? (running ? undefined : ''),
      { what: `${options.script} writes ${pattern}; it wrote:\n${output}`, deadlineMs },
    )
    if (found === '' && !pattern.test(''))
      throw new Error(`${options.script} ended before it wrote ${pattern}; it wrote:\n${output}`)
    return found
  }

  cleanUpLater(async () => {
    kill('SIGKILL')
    await exited
  })
  return { pid, output: () => output, stderr: () => stderr, waitForLine, kill, exited, stop }
}

function pick(environment: NodeJS.ProcessEnv, names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap(name => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  )
}
