import { createRequire } from 'node:module'
import type { Logger } from 'pino'
import { pino } from 'pino'

export type Log = Logger

export interface LogOptions {
  name: string
  level: string
  /** `json`: one object per line. If unset, `pretty` if standard output is a terminal, else `json`. */
  format?: 'json' | 'pretty' | undefined
}

/** Writes to standard output. Text from outside never goes into a message, only into fields, which are escaped. */
export function openLog({ name, level, format }: LogOptions): Log {
  const options = { name, level, base: { name, pid: process.pid } }
  const isTerminal = process.stdout.isTTY === true
  if ((format ?? (isTerminal ? 'pretty' : 'json')) === 'json') return pino(options)
  // Loaded only here: services and containers log JSON and don't pay for it.
  const { prettyDestination }: typeof import('./pretty-log.ts') = createRequire(import.meta.url)(
    './pretty-log.ts',
  )
  return pino(options, prettyDestination({ colorize: isTerminal && !process.env.NO_COLOR }))
}

/**
 * Logs transitions between working and failing instead of every attempt: one line when `part` starts to fail, one when it
 * works again. `works` and `fails` return true if the call changed the state.
 */
export function createHealthLog(
  log: Log,
  part: string,
): { works(): boolean; fails(reason: unknown): boolean; failing: () => boolean } {
  let failingSince: number | undefined
  return {
    works() {
      if (failingSince === undefined) return false
      // A warning: `npm start` logs nothing less, and a failure that was logged must also be logged as over.
      log.warn({ part, failedForMs: Math.round(performance.now() - failingSince) }, 'works again')
      failingSince = undefined
      return true
    },
    fails(reason) {
      if (failingSince !== undefined) return false
      failingSince = performance.now()
      log.error({ part, reason: errorText(reason) }, 'is failing; trying again')
      return true
    },
    failing: () => failingSince !== undefined,
  }
}

/**
 * Returns a function that adds up what happens often and logs the sum: at once, then at most once a minute. What happened
 * since the last line is in the next one.
 */
export function createMinuteLog(
  log: Log,
  message: string,
  level: 'warn' | 'error' = 'warn',
): (events: number, details: object) => void {
  let unsaid = 0
  let lastLineAt = Number.NEGATIVE_INFINITY
  return (events, details) => {
    unsaid += events
    if (unsaid === 0 || performance.now() - lastLineAt < 60_000) return
    log[level]({ count: unsaid, ...details }, message)
    unsaid = 0
    lastLineAt = performance.now()
  }
}

/** An error in one line. An AggregateError (every address of a host refused) has no message of its own. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(errorText).join('; ')
  if (error instanceof Error) return error.message.replaceAll('\n', ' ')
  return String(error)
}
