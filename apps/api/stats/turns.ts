/**
 * Limits how many slow operations run at once. Others wait for a moment, then are refused: 503 with Retry-After.
 */
import { Semaphore, withTimeout } from 'async-mutex'
import { Problem } from '../errors/problem.ts'

export interface Turns {
  /** Waits for a turn. The returned function ends it; calling it again does nothing. */
  take(): Promise<() => void>
}

/** As many may wait as may run: any more would wait in vain. */
export function createTurns(options: { max: number; waitMs: number; refusal: string }): Turns {
  const { max, waitMs, refusal } = options
  const semaphore = withTimeout(new Semaphore(max), waitMs, refused())
  let waiting = 0

  async function take(): Promise<() => void> {
    if (!semaphore.isLocked()) return release(await semaphore.acquire())
    if (waitMs === 0 || waiting === max) throw refused()
    waiting++
    try {
      return release(await semaphore.acquire())
    } finally {
      waiting--
    }
  }

  function refused(): Problem {
    return new Problem(503, refusal, { headers: { 'retry-after': '2' } })
  }

  return { take }
}

function release([, end]: [number, () => void]): () => void {
  return end
}
