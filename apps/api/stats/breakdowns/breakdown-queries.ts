import type { Breakdowns, StoredBreakdowns } from '@hopcount/shared/breakdowns.ts'
import {
  addCount,
  addStored,
  boundKey,
  isOpenValue,
  openDimensions,
  otherKey,
} from '@hopcount/shared/breakdowns.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayMs, dayNumber, dayText } from '@hopcount/shared/days.ts'
import { sql } from 'kysely'
import type { StoredCounts } from '../counts.ts'
import type { DayRange } from './breakdown-range.ts'

export interface DaySums extends StoredCounts {
  uniques: number
}

export interface DayBreakdowns extends DaySums {
  breakdowns: Breakdowns
}

/** Days read at a time: the JSON of a year in one piece would hold up redirects for tens of milliseconds. */
const daysAtATime = 16

/**
 * The sums of the UTC days from `from` to `to`, exclusive, and their breakdowns. Where days have more values than their
 * rows list, the `named` most frequent ones are complete all the same: what their days hold of them in breakdown_tails
 * is added.
 */
export async function sumDays(
  database: Database,
  linkId: number,
  { from, to }: DayRange,
  named: number,
): Promise<DayBreakdowns> {
  const listed = await sumListed(database, linkId, { from, to })
  if (!openDimensions.some(dimension => listed.breakdowns.has(boundKey(dimension)))) return listed
  // A fold moves values between rows and tails: both are read in one snapshot.
  return database
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async snapshot => {
      const sum = await sumListed(snapshot, linkId, { from, to })
      await addTails(snapshot, linkId, { from, to }, sum.breakdowns, named)
      return sum
    })
}

async function sumListed(database: Database, linkId: number, { from, to }: DayRange): Promise<DayBreakdowns> {
  const sum: DayBreakdowns = { visits: 0, bots: 0, previews: 0, uniques: 0, breakdowns: new Map() }
  for (let start = from.getTime(); start < to.getTime(); start += daysAtATime * dayMs) {
    const end = Math.min(start + daysAtATime * dayMs, to.getTime())
    const theDays = sql`link_id = ${linkId} AND day >= ${dayText(dayNumber(start))}::date AND day <= ${dayText(dayNumber(end - 1))}::date`
    // In one statement, so that all of it has counted the same visits.
    const { rows } = await sql<DaySums & { breakdowns: StoredBreakdowns | null }>`
      SELECT visits, bots, previews, uniques, NULL::json AS breakdowns FROM link_days WHERE ${theDays}
      UNION ALL SELECT 0, 0, 0, 0, breakdowns FROM link_breakdowns WHERE ${theDays}
      UNION ALL SELECT 0, 0, 0, 0, breakdowns FROM breakdown_deltas WHERE ${theDays}`.execute(database)
    for (const row of rows) {
      sum.visits += row.visits
      sum.bots += row.bots
      sum.previews += row.previews
      sum.uniques += row.uniques
      if (row.breakdowns !== null) addStored(sum.breakdowns, row.breakdowns)
    }
  }
  return sum
}

/** Values beyond those shown, of which one may turn out to be more frequent than the last of them. */
const candidatesBeyond = 100

/** Moves what the days' tails hold of the most frequent values from the sum of the others to them. */
async function addTails(
  snapshot: Database,
  linkId: number,
  { from, to }: DayRange,
  breakdowns: Breakdowns,
  named: number,
): Promise<void> {
  for (const dimension of openDimensions) {
    const values = [...breakdowns].filter(([key]) => isOpenValue(key, dimension))
    values.sort(([, a], [, b]) => b.visits - a.visits)
    const keys = values.slice(0, named + candidatesBeyond).map(([key]) => key)
    // A look-up per day and value, however many values a stranger has made up.
    const { rows } = await sql<{ key: string; visits: number; humans: number }>`
      SELECT value.key, sum(tail.visits)::bigint AS visits, sum(tail.humans)::bigint AS humans
      FROM generate_series(${from}::timestamptz, ${to}::timestamptz - interval '1 day', '1 day') AS start
      CROSS JOIN unnest(${keys}::text[]) AS value (key)
      CROSS JOIN LATERAL (
        SELECT visits, humans FROM breakdown_tails
        WHERE link_id = ${linkId} AND day = (start AT TIME ZONE 'UTC')::date AND breakdown_tails.key = value.key
      ) AS tail
      GROUP BY value.key`.execute(snapshot)
    for (const { key, visits, humans } of rows) {
      addCount(breakdowns, key, visits, humans)
      addCount(breakdowns, otherKey(dimension), -visits, -humans)
    }
  }
}

/** The sums alone. */
export async function sumDayCounts(
  database: Database,
  linkId: number,
  from: Date,
  to: Date,
): Promise<DaySums> {
  const { rows } = await sql<DaySums>`
    SELECT coalesce(sum(visits), 0)::bigint AS visits, coalesce(sum(bots), 0)::bigint AS bots,
           coalesce(sum(previews), 0)::bigint AS previews, coalesce(sum(uniques), 0)::bigint AS uniques
    FROM link_days
    WHERE link_id = ${linkId} AND day >= ${dayText(dayNumber(from.getTime()))}::date AND day <= ${dayText(dayNumber(to.getTime() - 1))}::date`.execute(
    database,
  )
  return rows[0] ?? { visits: 0, bots: 0, previews: 0, uniques: 0 }
}
