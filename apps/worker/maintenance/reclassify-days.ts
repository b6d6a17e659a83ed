/**
 * Counts days again that another release has recorded, so that all kept days follow the rules of this one, without a
 * command after an upgrade. A day is a step: whatever ends this job, it goes on with the days that are left.
 *
 * While workers of the other release still record, their days change from minute to minute, and are left alone until
 * they no longer do. Visits are never added or removed: a day whose visits disagree with its raw visits is left for
 * `npm run verify`.
 */
import { allLinks } from '@hopcount/shared/all-links.ts'
import { parseDay } from '@hopcount/shared/days.ts'
import type { Log } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import { addToClassifiedDays, rulesVersion } from '../recording/classified-days.ts'
import { recountDay, tryWhileNothingFolds } from '../recount/recount-day.ts'
import { recountTotals } from '../recount/recount-totals.ts'

export interface DayReclassifier {
  /** Returns how many days were counted again. */
  run(stop?: AbortSignal, now?: number): Promise<number>
}

/** @param pool as recountDay() needs it */
export function createDayReclassifier(pool: Pool, log: Log): DayReclassifier {
  let lastSeen = new Map<number, number>()
  const disagreeing = new Set<number>()

  async function run(stop?: AbortSignal, now = Date.now()): Promise<number> {
    const days = await unclassifiedDays(pool)
    const settled = days.filter(({ day, visits }) => lastSeen.get(day) === visits && !disagreeing.has(day))
    lastSeen = new Map(days.map(({ day, visits }) => [day, visits]))
    if (settled.length === 0) return 0
    log.info({ days: settled.length }, 'counting days again that another release has recorded')
    let done = 0
    for (const { day } of settled) {
      if (stop?.aborted) break
      const result = await tryWhileNothingFolds(pool, () => reclassifyDay(pool, day, now))
      // Another worker is at it.
      if (result === undefined) break
      if (result === 'disagrees') {
        disagreeing.add(day)
        log.warn(
          { day },
          'a day is not counted again: its visits disagree with its raw visits, see npm run verify',
        )
      } else if (result === 'done') done++
    }
    if (done > 0) await tryWhileNothingFolds(pool, () => recountTotals(pool, { onlyClasses: true }))
    const left = days.length - done
    log.info(
      { days: done, left },
      left === 0
        ? 'all kept days follow the rules of this release'
        : 'days are counted again, and some are left',
    )
    return done
  }

  return { run }
}

/** What is unclassified when the day is begun is in every snapshot that is taken later. */
async function reclassifyDay(
  pool: Pool,
  day: number,
  now: number,
): Promise<'done' | 'disagrees' | 'classified'> {
  const visits = (await unclassifiedDays(pool)).find(unclassified => unclassified.day === day)?.visits
  if (visits === undefined) return 'classified'
  if ((await recountDay(pool, day, { now, onlyClasses: true })) === undefined) return 'disagrees'
  await addToClassifiedDays(pool, { times: [day], visits: [visits] })
  return 'done'
}

/** The newest first: they are looked at most. */
async function unclassifiedDays(pool: Pool): Promise<{ day: number; visits: number }[]> {
  const { rows } = await pool.query<{ day: string; visits: number }>({
    name: 'unclassified-days',
    text: `SELECT day, total.visits - coalesce(classified.visits, 0) AS visits
           FROM link_days AS total
           LEFT JOIN (SELECT day, visits FROM classified_days WHERE rules = $1) AS classified USING (day)
           WHERE link_id = ${allLinks} AND day >= (SELECT raw_visits_from FROM retention)
             AND total.visits > coalesce(classified.visits, 0)
           ORDER BY day DESC`,
    values: [rulesVersion],
  })
  return rows.map(({ day, visits }) => ({ day: parseDay(day), visits }))
}
