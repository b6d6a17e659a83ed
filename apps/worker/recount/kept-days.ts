/** The days whose aggregates can be compared with raw visits, and rebuilt from them. Days are day numbers (days.ts). */
import { dayMs, dayText, minutesReachBackMs, parseDay } from '@hopcount/shared/days.ts'
import type { Pool, PoolClient } from 'pg'
import type { SumOptions } from './raw-day.ts'

export interface KeptDays {
  /** From this day on, every counted visit is kept as a raw visit: nothing has been retired. */
  rawVisitsFrom: number
  /** Days before this one have been folded into hours, or will be. */
  quartersFrom: number
  /** Days whose visitors are still kept. */
  visitors: ReadonlySet<number>
}

/** No visit is older, because times of visits are unsigned. */
const firstDay = 0

export async function readKeptDays(client: Pool | PoolClient): Promise<KeptDays> {
  const { rows } = await client.query<{ raw_visits_from: string; quarters_from: string }>(
    'SELECT raw_visits_from, quarters_from FROM retention',
  )
  const salts = await client.query<{ day: string }>('SELECT day FROM visitor_salts')
  return {
    rawVisitsFrom: dayOrFirst(rows[0]?.raw_visits_from),
    quartersFrom: dayOrFirst(rows[0]?.quarters_from),
    visitors: new Set(salts.rows.map(row => parseDay(row.day))),
  }
}

function dayOrFirst(date: string | undefined): number {
  return date === undefined || date === '-infinity' ? firstDay : parseDay(date)
}

/** The days from `fromDay` on that have raw visits or counts, oldest first. */
export async function daysWithVisits(client: Pool | PoolClient, fromDay: number): Promise<number[]> {
  const { rows } = await client.query<{ day: string }>(
    `SELECT DISTINCT (visited_at AT TIME ZONE 'UTC')::date AS day FROM visits
     WHERE visited_at >= $1::date::timestamp AT TIME ZONE 'UTC'
     UNION
     SELECT DISTINCT day FROM link_days WHERE day >= $1::date
     UNION
     SELECT DISTINCT (quarter AT TIME ZONE 'UTC')::date FROM link_quarters
     WHERE quarter >= $1::date::timestamp AT TIME ZONE 'UTC'
     UNION
     SELECT DISTINCT (minute AT TIME ZONE 'UTC')::date FROM link_minutes
     WHERE minute >= $1::date::timestamp AT TIME ZONE 'UTC'
     ORDER BY 1`,
    [dayText(fromDay)],
  )
  return rows.map(row => parseDay(row.day))
}

const minuteMs = 60_000
/** Minutes about to expire are not compared: a worker's clock may be ahead of this one. */
const clockDifferenceMs = 5 * minuteMs

/** What is summed for a day, and how. */
export function sumOptions(kept: KeptDays, day: number, now: number): SumOptions {
  const minutesFrom = now - minutesReachBackMs + clockDifferenceMs
  return {
    bucketMs: day < kept.quartersFrom ? 60 * minuteMs : 15 * minuteMs,
    minutesFrom: (day + 1) * dayMs > minutesFrom ? Math.ceil(minutesFrom / minuteMs) * minuteMs : undefined,
    uniques: kept.visitors.has(day) ? { visitorsOfDay: day } : 'unknown',
  }
}
