/** `postgres.log` beside a cluster: everything that initdb and the server write. It is rotated once, at 10 MB. */
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs'

const maxLogBytes = 10 * 1024 * 1024

export function rotateLog(logFile: string): void {
  if (existsSync(logFile) && statSync(logFile).size > maxLogBytes) renameSync(logFile, `${logFile}.1`)
}

/** Remember it before a program starts, to read later what that program wrote. */
export function logSize(logFile: string): number {
  return existsSync(logFile) ? statSync(logFile).size : 0
}

/** True if the failure passes by itself: a predecessor that is still shutting down, or a port that was taken a moment ago. */
export function isTransientFailure(logFile: string, offset: number): boolean {
  return /lock file "postmaster\.pid"|pre-existing shared memory|could not create any TCP|Address already in use/.test(
    logSince(logFile, offset),
  )
}

/** The last error written after `offset`, in one line. */
export function lastError(logFile: string, offset: number): string {
  const lines = logSince(logFile, offset)
    .split('\n')
    .filter(line => line !== '')
  const error = lines.findLast(line => /FATAL|PANIC|error:/.test(line)) ?? lines.at(-1)
  return error?.replace(/^.*?(FATAL|PANIC|error): */, '') ?? 'no output'
}

function logSince(logFile: string, offset: number): string {
  if (!existsSync(logFile)) return ''
  const log = readFileSync(logFile)
  return log.subarray(log.length < offset ? 0 : offset).toString('utf8')
}
