/**
 * Lets few do at a time what takes long, so that it takes no more of the process than that. Others wait for a moment,
 * then are told to come back: 503 with Retry-After.
 */
import { Problem } from '../errors/problem.ts'

export interface Turns {
  /** Waits for a turn; the returned function ends it, and may be called again. */
  take(): Promise<() => void>
}

/** As many wait at most as take turns: more would only come to wait in vain. */
export function createTurns(options: { max: number; waitMs: number; refusal: string }): Turns {
  const { max, waitMs, refusal } = options
  let taken = 0
  const waiting: (() => void)[] = []

  async function take(): Promise<() => void> {
    if (taken === max) await nextTurn()
    else taken++
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const next = waiting.shift()
      if (next === undefined) taken--
      else next()
    }
  }

  function nextTurn(): Promise<void> {
    if (waitMs === 0 || waiting.length === max) throw refused()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(begin), 1)
        reject(refused())
      }, waitMs)
      function begin() {
        clearTimeout(timer)
        resolve()
      }
      waiting.push(begin)
    })
  }

  function refused(): Problem {
    return new Problem(503, refusal, { headers: { 'retry-after': '2' } })
  }

  return { take }
}
