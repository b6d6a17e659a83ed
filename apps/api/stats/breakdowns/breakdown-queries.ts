import type { Breakdowns, StoredBreakdowns } from '@hopcount/shared/breakdowns.ts'
import {
  addBreakdowns,
  addCount,
  addStored,
  boundKey,
  dimensionLetters,
  isOpenValue,
  laterDimensions,
  openDimensions,
  otherKey,
} from '@hopcount/shared/breakdowns.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayMs, dayNumber, dayText, parseDay } from '@hopcount/shared/days.ts'
import { sql } from 'kysely'
import type { StoredCounts } from '../counts.ts'
import type { DayRange } from './breakdown-range.ts'

export interface DaySums extends StoredCounts {
  uniques: number
}

export interface DayBreakdowns extends DaySums {
  breakdowns: Breakdowns
}

/** Days read at once: parsing a year's JSON in one piece would block redirects for tens of milliseconds. */
const daysPerQuery = 16

/** The values whose counts have to be complete, on days with more values than their rows list: breakdown_tails has the rest. */
export interface CompleteValues {
  /** So many of the most frequent ones of each dimension. */
  named: number
  /** Keys of further ones. */
  keys: string[]
}

/** The sums of the UTC days in [from, to), and their breakdowns. */
export async function sumDays(
  database: Database,
  linkId: number,
  { from, to }: DayRange,
  complete: CompleteValues,
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
      await addTails(snapshot, linkId, { from, to }, sum.breakdowns, complete)
      return sum
    })
}

/** The same together with `more`, what was counted elsewhere. The caller's transaction is the snapshot. */
export async function sumDaysAnd(
  more: Breakdowns[],
  snapshot: Database,
  linkId: number,
  days: DayRange,
  complete: CompleteValues,
): Promise<DayBreakdowns> {
  const sum = await sumListed(snapshot, linkId, days)
  const { breakdowns } = sum
  for (const part of more) addBreakdowns(breakdowns, part)
  if (openDimensions.some(dimension => breakdowns.has(boundKey(dimension))))
    await addTails(snapshot, linkId, days, breakdowns, complete)
  return sum
}

async function sumListed(database: Database, linkId: number, days: DayRange): Promise<DayBreakdowns> {
  const { from, to } = await daysWithVisits(database, linkId, days)
  const sum: DayBreakdowns = { visits: 0, bots: 0, previews: 0, uniques: 0, breakdowns: new Map() }
  for (let start = from.getTime(); start < to.getTime(); start += daysPerQuery * dayMs) {
    const end = Math.min(start + daysPerQuery * dayMs, to.getTime())
    const theDays = sql`link_id = ${linkId} AND day >= ${dayText(dayNumber(start))}::date AND day <= ${dayText(dayNumber(end - 1))}::date`
    // One statement, so that all parts count the same visits.
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
  for (const dimension of laterDimensions) addUntold(sum, dimensionLetters[dimension])
  return sum
}

const longDays = 400

/** Of a long range only the days from the first to the last one with visits are read: it may begin in 1970. */
async function daysWithVisits(database: Database, linkId: number, { from, to }: DayRange): Promise<DayRange> {
  if (to.getTime() - from.getTime() <= longDays * dayMs) return { from, to }
  const { rows } = await sql<{ first: string | null; last: string | null }>`
    SELECT min(day)::text AS first, max(day)::text AS last FROM link_days
    WHERE link_id = ${linkId} AND day >= ${dayText(dayNumber(from.getTime()))}::date AND day < ${dayText(dayNumber(to.getTime()))}::date`.execute(
    database,
  )
  const { first = null, last = null } = rows[0] ?? {}
  if (first === null || last === null) return { from, to: from }
  return { from: new Date(parseDay(first) * dayMs), to: new Date((parseDay(last) + 1) * dayMs) }
}

/** What was recorded before a dimension was there is not told in it, so that its values add up to the visits. */
function addUntold({ visits, bots, previews, breakdowns }: DayBreakdowns, letter: string): void {
  const untold = { visits, humans: visits - bots - previews }
  for (const [key, count] of breakdowns) {
    if (key[0] !== letter) continue
    untold.visits -= count.visits
    untold.humans -= count.humans
  }
  if (untold.visits > 0) addCount(breakdowns, letter, untold.visits, Math.max(untold.humans, 0))
}

/** How many values beyond the shown ones are looked up, since one of them may turn out to be more frequent than the last shown. */
const candidatesBeyond = 100

/** Adds the counts that the days' tails have for the most frequent values, and takes them from the sum of the others. */
async function addTails(
  snapshot: Database,
  linkId: number,
  { from, to }: DayRange,
  breakdowns: Breakdowns,
  complete: CompleteValues,
): Promise<void> {
  for (const dimension of openDimensions) {
    const values = [...breakdowns].filter(([key]) => isOpenValue(key, dimension))
    values.sort(([, a], [, b]) => b.visits - a.visits)
    const mostFrequent = values.slice(0, complete.named + candidatesBeyond).map(([key]) => key)
    const others = complete.keys.filter(key => isOpenValue(key, dimension))
    const keys = [...new Set([...mostFrequent, ...others])]
    // One lookup per day and value, however many values a stranger has made up.
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

/** The sums without breakdowns. */
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
