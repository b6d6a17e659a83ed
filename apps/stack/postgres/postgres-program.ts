/** Runs initdb or postgres under the cluster's account, with the output in its log file. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { PostgresAccount } from './postgres-account.ts'
import { rotateLog } from './postgres-log.ts'

export interface ProgramContext {
  account: PostgresAccount
  logFile: string
  /** Called as soon as a program has a process id, long before it accepts connections. */
  onSpawn: (pid: number) => void
}

export interface PostgresProgram {
  child: ChildProcess
  pid: number
  exited: Promise<void>
}

/**
 * The program is in a process group of its own, so that Ctrl-C in a terminal does not reach it, and writes to a file
 * rather than to a pipe, which would break when this process dies.
 */
export function runProgram(context: ProgramContext, file: string, args: string[]): PostgresProgram {
  rotateLog(context.logFile)
  const log = openSync(context.logFile, 'a', 0o600)
  const child = spawn(...context.account.command(file, args), {
    ...context.account.spawnOptions,
    cwd: dirname(file),
    detached: true,
    // Nothing of the caller's environment: PGDATA, PGOPTIONS or a missing locale would change what the server does.
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stdio: ['ignore', log, log],
  })
  if (child.pid !== undefined) context.onSpawn(child.pid)
  closeSync(log)
  const exited = new Promise<void>(resolve => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  return { child, pid: child.pid ?? 0, exited }
}
