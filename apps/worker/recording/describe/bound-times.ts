/**
 * A visit belongs to the moment of its redirect, however late it is recorded. But a moment long before or after its
 * recording is that of a wrong clock or a damaged file, and would stay the last visit of its link for ever. Such a visit
 * is counted at the bound, and said to be misdated.
 *
 * Measured from the database's clock: a worker whose own is wrong must not move good visits.
 */
import { dayMs } from '@hopcount/shared/days.ts'
import type { Pool } from 'pg'

/** Moments in milliseconds since 1970, both included. */
export interface TimeBounds {
  from: number
  to: number
}

/** A spool may be found again after years; a clock that runs ahead by a day is no rarity. */
const reachBackMs = 3 * 366 * dayMs
const reachAheadMs = 2 * dayMs

const readAgainAfterMs = 60_000

/** The returned function gives the bounds for visits that are recorded now. */
export function createTimeBounds(pool: Pool): () => Promise<TimeBounds> {
  let databaseNow = 0
  let readAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (performance.now() - readAt > readAgainAfterMs) {
      const { rows } = await pool.query<{ now: Date }>({ name: 'database-now', text: 'SELECT now() AS now' })
      databaseNow = rows[0]?.now.getTime() ?? Date.now()
      readAt = performance.now()
    }
    const now = databaseNow + performance.now() - readAt
    return { from: now - reachBackMs, to: now + reachAheadMs }
  }
}

export function boundTime(visitedAt: number, { from, to }: TimeBounds): number {
  return Math.floor(Math.min(Math.max(visitedAt, from), to))
}
