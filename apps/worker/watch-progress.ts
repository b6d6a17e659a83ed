import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'

export interface ProgressWatch {
  /** Wraps what handles a job. */
  watch<Values extends unknown[]>(
    handle: (...values: Values) => Promise<void>,
  ): (...values: Values) => Promise<void>
  /** Why this worker is not ready: the queue can't be reached, or jobs wait and none is finished. */
  problem(): Promise<string | undefined>
}

/** Longer than a transaction may take, and longer than the jobs of a worker that died are held back. */
const patienceMs = 30_000

/**
 * Tells whether jobs are finished while there are any. A worker that has nothing to do is ready. How long jobs have been
 * waiting in the queue is only known from one call of `problem` to the next.
 */
export function createProgressWatch(
  queue: Pick<VisitQueue, 'counts'>,
  { patienceMs: patience = patienceMs } = {},
): ProgressWatch {
  /** When they began, oldest first. */
  const running = new Set<{ since: number }>()
  let finishedAt = performance.now()
  let waitingSince: number | undefined

  function watch<Values extends unknown[]>(handle: (...values: Values) => Promise<void>) {
    return async (...values: Values): Promise<void> => {
      const job = { since: performance.now() }
      running.add(job)
      try {
        await handle(...values)
      } finally {
        running.delete(job)
        finishedAt = performance.now()
      }
    }
  }

  async function problem(): Promise<string | undefined> {
    const counts = await queue.counts().catch(() => undefined)
    if (counts === undefined) return 'The queue can’t be reached.'
    const now = performance.now()
    waitingSince = counts.waiting === 0 ? undefined : (waitingSince ?? now)
    const [oldest] = running
    const since = Math.min(oldest?.since ?? now, waitingSince ?? now)
    const idleMs = now - Math.max(since, finishedAt)
    if (idleMs <= patience) return undefined
    return `Jobs are waiting, and none has been finished for ${Math.round(idleMs / 1_000)} s.`
  }

  return { watch, problem }
}
