import { setTimeout as sleep } from 'node:timers/promises'
import { isDataError } from '@hopcount/shared/database/database.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import { DatabaseChanged } from '../known-database.ts'

const firstDelayMs = 100
const longestDelayMs = 2_000

/** Thrown in place of another attempt once the worker is stopping. */
export class Stopping extends Error {}

/**
 * Returns a function that repeats `attempt` until PostgreSQL has done it, with exponential backoff and jitter, however
 * long that takes. It throws what PostgreSQL refuses for its data, `DatabaseChanged`, and `Stopping` once `stop` is aborted.
 */
export function createKeepTrying(options: { log: Log; stop: AbortSignal; onFailure: () => void }) {
  const { log, stop, onFailure } = options
  const health = createHealthLog(log, 'recording visits')

  return async function keepTrying<Result>(attempt: () => Promise<Result>): Promise<Result> {
    for (let failures = 0; ; failures++) {
      try {
        const result = await attempt()
        health.works()
        return result
      } catch (error) {
        if (isDataError(error) || error instanceof DatabaseChanged) throw error
        onFailure()
        health.fails(error)
        await waitBeforeRetry(failures, stop)
      }
    }
  }
}

async function waitBeforeRetry(failures: number, stop: AbortSignal): Promise<void> {
  const delayMs = Math.min(firstDelayMs * 2 ** failures, longestDelayMs) * (0.5 + Math.random() / 2)
  try {
    await sleep(delayMs, undefined, { signal: stop })
  } catch {
    throw new Stopping()
  }
}
