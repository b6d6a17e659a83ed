/** Which days aggregates can be held against raw visits, and rebuilt from them. Days are counted from 1970 (UTC). */
import type { PoolClient } from 'pg'
import { minutesReachBackMs } from '../recording/add-to-aggregates.ts'
import type { SumOptions } from './raw-day.ts'

export interface KeptDays {
  /** From this day on every visit that is counted is there raw: nothing has been retired. */
  rawVisitsFrom: number
  /** Days before this one have rows per hour, or will have. */
  quartersFrom: number
  /** Days whose visitors are still there. */
  visitors: ReadonlySet<number>
}

/** No visit is older: times of visits are unsigned. */
const firstDay = 0

export async function readKeptDays(client: PoolClient): Promise<KeptDays> {
  const { rows } = await client.query<{ raw_visits_from: number | null; quarters_from: number | null }>(
    `SELECT CASE WHEN isfinite(raw_visits_from) THEN raw_visits_from - '1970-01-01'::date END AS raw_visits_from,
            CASE WHEN isfinite(quarters_from) THEN quarters_from - '1970-01-01'::date END AS quarters_from
     FROM retention`,
  )
  const salts = await client.query<{ day: number }>(
    `SELECT day - '1970-01-01'::date AS day FROM visitor_salts`,
  )
  return {
    rawVisitsFrom: rows[0]?.raw_visits_from ?? firstDay,
    quartersFrom: rows[0]?.quarters_from ?? firstDay,
    visitors: new Set(salts.rows.map(row => row.day)),
  }
}

/** Days from `fromDay` on with anything on them, raw or counted, oldest first. */
export async function daysWithVisits(client: PoolClient, fromDay: number): Promise<number[]> {
  const { rows } = await client.query<{ day: number }>(
    `SELECT DISTINCT (visited_at AT TIME ZONE 'UTC')::date - '1970-01-01'::date AS day FROM visits
     WHERE visited_at >= ('1970-01-01'::date + $1::integer)::timestamp AT TIME ZONE 'UTC'
     UNION
     SELECT DISTINCT day - '1970-01-01'::date FROM link_days WHERE day >= '1970-01-01'::date + $1::integer
     UNION
     SELECT DISTINCT (quarter AT TIME ZONE 'UTC')::date - '1970-01-01'::date FROM link_quarters
     WHERE quarter >= ('1970-01-01'::date + $1::integer)::timestamp AT TIME ZONE 'UTC'
     UNION
     SELECT DISTINCT (minute AT TIME ZONE 'UTC')::date - '1970-01-01'::date FROM link_minutes
     WHERE minute >= ('1970-01-01'::date + $1::integer)::timestamp AT TIME ZONE 'UTC'
     ORDER BY 1`,
    [fromDay],
  )
  return rows.map(row => row.day)
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** Of minutes that are about to go: a worker's clock may be ahead of this one. */
const clockDifferenceMs = 5 * minuteMs

/** What is counted about a day, and how. */
export function sumOptions(kept: KeptDays, day: number, now: number): SumOptions {
  const minutesFrom = now - minutesReachBackMs + clockDifferenceMs
  return {
    bucketMs: day < kept.quartersFrom ? 60 * minuteMs : 15 * minuteMs,
    minutesFrom: (day + 1) * dayMs > minutesFrom ? Math.ceil(minutesFrom / minuteMs) * minuteMs : undefined,
    uniques: kept.visitors.has(day) ? { visitorsOfDay: day } : 'unknown',
  }
}
