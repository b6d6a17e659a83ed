/**
 * The links visited most recently.
 *
 * There is no index on the time of the last visit, since it changes with every visit. But a link visited since `X` has
 * a quarter hour (or a day) since `X`. So the links of the latest quarter hours are sorted, as many quarter hours as
 * hold a page of links together.
 */
import { allLinks } from '@hopcount/shared/all-links.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayMs, dayNumber, dayText } from '@hopcount/shared/days.ts'
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import type { RankedLink, TopPosition, TopQuery } from './ranked-page.ts'
import { rankedPage, totalValue } from './ranked-page.ts'
import type { TopWindow } from './top-window.ts'
import { windowRows } from './window-rows.ts'

const quarterMs = 15 * 60_000
/** Quarter hours are read for ranges up to this length, days for longer ones. */
const maxQuartersMs = 3 * dayMs

const lastVisits = sql`SELECT link_id, ${totalValue('last_visit')} AS value FROM link_totals AS total`

export async function rankByLastVisit(database: Database, query: TopQuery): Promise<RankedLink[]> {
  const { limit, window, after } = query
  if (window !== undefined && !window.isOpen) return rankPastWindow(database, query, window)
  const earliest = window?.from.getTime() ?? 0
  const last = after === undefined ? undefined : Math.floor(after.value / quarterMs) * quarterMs
  const newest = await newestQuarter(database, last)
  if (newest === undefined) return []
  let reachMs = newest.getTime() - (await quarterHolding(database, newest, limit)).getTime()
  for (;;) {
    const from = Math.max(earliest, newest.getTime() - reachMs)
    const isAll = from <= earliest
    const since = new Date(from)
    const ranked = await rankedPage(
      database,
      sql`${lastVisits}
          WHERE last_visit >= ${since}::timestamptz AND link_id <> ${allLinks}
            AND ${isAll && window === undefined ? sql`true` : sql`link_id IN (${visitedBetween(since, last)})`}`,
      query,
    )
    if (isAll || ranked.length === limit) return ranked
    reachMs = 4 * Math.max(reachMs, quarterMs)
  }
}

/** Whatever was visited since is among the links of the quarter hours (or days) since. */
export function rankBeforeLastVisit(
  database: Database,
  query: TopQuery,
  { value }: TopPosition,
): Promise<RankedLink[]> {
  const since = new Date(value)
  return rankedPage(
    database,
    sql`${lastVisits}
        WHERE last_visit >= ${since}::timestamptz AND link_id <> ${allLinks}
          AND ${value === 0 ? sql`true` : sql`link_id IN (${visitedBetween(since, undefined)})`}`,
    query,
  )
}

/** A window in the past: nothing orders its links by their last visit, so all of them are read. */
function rankPastWindow(database: Database, query: TopQuery, window: TopWindow): Promise<RankedLink[]> {
  const visited = windowRows(window, 'visits', sql`link_id <> ${allLinks}`)
  return rankedPage(
    database,
    sql`${lastVisits}
        WHERE link_id IN (SELECT link_id FROM (${visited}) AS part GROUP BY link_id HAVING sum(visits) > 0)`,
    query,
  )
}

/** Links with a quarter hour (in long ranges: a day) between `from` and the quarter hour that begins at `last`. */
function visitedBetween(from: Date, last: number | undefined): RawBuilder<unknown> {
  const until = new Date(last ?? Date.now() + dayMs)
  // Old quarter hours are folded into hours.
  return until.getTime() - from.getTime() <= maxQuartersMs
    ? sql`SELECT link_id FROM link_quarters
          WHERE quarter >= date_bin('1 hour', ${from}::timestamptz, 'epoch'::timestamptz) AND quarter <= ${until}::timestamptz`
    : sql`SELECT link_id FROM link_days
          WHERE day >= ${dayText(dayNumber(from.getTime()))}::date AND day <= ${dayText(dayNumber(until.getTime()))}::date`
}

/** The latest quarter hour with visits, no later than `last`. */
async function newestQuarter(database: Database, last: number | undefined): Promise<Date | undefined> {
  const { rows } = await sql<{ quarter: Date }>`
    SELECT quarter FROM link_quarters
    WHERE link_id = ${allLinks} AND ${last === undefined ? sql`true` : sql`quarter <= ${new Date(last)}::timestamptz`}
    ORDER BY quarter DESC LIMIT 1`.execute(database)
  return rows[0]?.quarter
}

/** The quarter hour since which there were this many visits: fewer visits can't belong to that many links. */
async function quarterHolding(database: Database, newest: Date, visits: number): Promise<Date> {
  const { rows } = await sql<{ quarter: Date }>`
    SELECT max(quarter) AS quarter FROM (
      SELECT quarter, sum(visits) OVER (ORDER BY quarter DESC) AS visits FROM (
        SELECT quarter, visits FROM link_quarters
        WHERE link_id = ${allLinks} AND quarter <= ${newest}::timestamptz ORDER BY quarter DESC LIMIT ${visits}
      ) AS latest
    ) AS summed WHERE visits >= ${visits}`.execute(database)
  return rows[0]?.quarter ?? newest
}
