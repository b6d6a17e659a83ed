import type { Breakdowns, StoredBreakdowns } from '@hopcount/shared/breakdowns.ts'
import { addStored } from '@hopcount/shared/breakdowns.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayMs, dayNumber, dayText } from '@hopcount/shared/days.ts'
import { sql } from 'kysely'
import type { StoredCounts } from '../counts.ts'

export interface DaySums extends StoredCounts {
  uniques: number
}

export interface DayBreakdowns extends DaySums {
  breakdowns: Breakdowns
}

/** Days read at a time: the JSON of a year in one piece would hold up redirects for tens of milliseconds. */
const daysAtATime = 16

/** The sums of the UTC days from `from` to `to`, exclusive, and their breakdowns. */
export async function sumDays(
  database: Database,
  linkId: number,
  from: Date,
  to: Date,
): Promise<DayBreakdowns> {
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
