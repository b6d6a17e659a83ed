/**
 * Which jobs this worker could not open for want of their key. Each comes back from the queue every `retryAfterMs`; one
 * that does not, was opened elsewhere, replaced by its producer, or dropped.
 */
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'

export interface MissingKeys {
  missed(jobId: string, reason: string): void
  found(jobId: string): void
  /** A sentence while there are such jobs. */
  problem(): string | undefined
  jobs(): number
}

export const retryAfterMs = 5_000
/** With the queue full of them, a job takes longer to come back. */
const forgetAfterMs = 6 * retryAfterMs

export function createMissingKeys(log: Log): MissingKeys {
  const seen = new Map<string, { at: number; reason: string }>()
  const health = createHealthLog(log, 'opening jobs')

  function missed(jobId: string, reason: string): void {
    seen.set(jobId, { at: performance.now(), reason })
    health.fails(`job ${jobId} is ${reason}; it goes back to the queue, as do all like it`)
  }

  function found(jobId: string): void {
    if (seen.delete(jobId)) forgetOld()
  }

  function forgetOld(): void {
    for (const [jobId, { at }] of seen) if (performance.now() - at > forgetAfterMs) seen.delete(jobId)
    if (seen.size === 0) health.works()
  }

  function jobs(): number {
    forgetOld()
    return seen.size
  }

  function problem(): string | undefined {
    const count = jobs()
    if (count === 0) return undefined
    const [{ reason } = { reason: '' }] = seen.values()
    return `Jobs wait in the queue because this worker can't open them (${count}): ${reason}.`
  }

  return { missed, found, problem, jobs }
}
