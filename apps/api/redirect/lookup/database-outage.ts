/**
 * While this process neither hears of changes nor can ask PostgreSQL, links of its cache are followed as they are
 * (promise 7), without asking for each of them in vain. It begins with a failed lookup, and ends when PostgreSQL answers
 * anything: a lookup, or the question that is asked every 250 ms.
 *
 * A link may be changed meanwhile by a process that can reach PostgreSQL, so this ends after `maxMs` in any case.
 */
import type { Pool } from 'pg'

export interface DatabaseOutage {
  /** True: cached links may be followed without having asked. */
  isOn(): boolean
  /** PostgreSQL could not be asked, or not in time. False: that has lasted for too long. */
  begin(): boolean
  /** PostgreSQL answered. */
  end(): void
}

const askEveryMs = 250

export function createDatabaseOutage({ pool, maxMs }: { pool: Pool; maxMs: number }): DatabaseOutage {
  let beganAt: number | undefined
  let timer: NodeJS.Timeout | undefined
  let asking = false

  const isOn = () => beganAt !== undefined && performance.now() - beganAt < maxMs

  function begin(): boolean {
    beganAt ??= performance.now()
    timer ??= setInterval(ask, askEveryMs).unref()
    return isOn()
  }

  function end(): void {
    beganAt = undefined
    clearInterval(timer)
    timer = undefined
  }

  /** One at a time: a connection that has died without a sign takes long to say so. */
  function ask(): void {
    if (asking) return
    asking = true
    pool
      .query('SELECT 1')
      .then(end, () => {})
      .finally(() => {
        asking = false
      })
  }

  return { isOn, begin, end }
}
