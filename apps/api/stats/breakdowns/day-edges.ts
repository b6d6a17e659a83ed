/**
 * Where a range begins or ends within a UTC day, aggregates of that day cover too much. This decides whether the visits
 * of such an edge have to be counted from raw visits, and whether they can be.
 */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayMs, dayNumber, dayText } from '@hopcount/shared/days.ts'
import { sql } from 'kysely'
import type { DayRange, Range } from './breakdown-range.ts'
import type { WidenedBecause } from './breakdown-schema.ts'

/** The part of a UTC day that belongs to a range, and has only some of the day's visits. */
export interface DayEdge extends Range {
  /** Visits of the whole day. Another number: the edge may have changed, too. */
  dayVisits: number
}

export interface EdgePlan {
  /** Days of which all visits belong to the range; empty if `from` equals `to`. */
  days: DayRange
  /** To be counted from raw visits. */
  edges: DayEdge[]
}

const quarterMs = 15 * 60_000
const hourMs = 4 * quarterMs
/** Some 300,000 raw visits are counted per second, and at most two seconds are spent. */
const maxRawVisits = 400_000

/** The cheapest way to count the range, or why only whole days can be counted. */
export async function planEdges(
  database: Database,
  linkId: number,
  range: Range,
): Promise<EdgePlan | { because: WidenedBecause }> {
  const parts = partialDays(range)
  const facts = await edgeFacts(database, linkId, parts)
  const edges: DayEdge[] = []
  let [first, end] = wholeDays(range)
  let rawVisits = 0
  for (const [i, part] of parts.entries()) {
    const fact = facts[i]
    if (fact === undefined) continue
    const day = dayNumber(part.from.getTime())
    // None of the day's visits lies outside, as on days that are not over: the day's aggregates are those of the edge.
    if (fact.within === fact.dayVisits) {
      first = Math.min(first, day)
      end = Math.max(end, day + 1)
      continue
    }
    if (fact.isRawGone) return { because: 'retention' }
    if (fact.isFolded && !isOnHours(part)) return { because: 'folded_quarters' }
    rawVisits += fact.touched
    if (fact.touched > 0) edges.push({ ...part, dayVisits: fact.dayVisits })
  }
  if (rawVisits > maxRawVisits) return { because: 'too_many_visits' }
  return { days: { from: new Date(first * dayMs), to: new Date(end * dayMs) }, edges }
}

/** Number of the first day that the range contains completely, and of the day after the last one. */
function wholeDays({ from, to }: Range): [first: number, end: number] {
  const first = Math.ceil(from.getTime() / dayMs)
  return [first, Math.max(first, dayNumber(to.getTime()))]
}

function partialDays({ from, to }: Range): Range[] {
  const firstDay = dayNumber(from.getTime())
  const lastDay = dayNumber(to.getTime() - 1)
  if (firstDay === lastDay) return [{ from, to }]
  return [
    { from, to: new Date((firstDay + 1) * dayMs) },
    { from: new Date(lastDay * dayMs), to },
  ].filter(part => part.to.getTime() - part.from.getTime() < dayMs)
}

function isOnHours({ from, to }: Range): boolean {
  return from.getTime() % hourMs === 0 && to.getTime() % hourMs === 0
}

interface EdgeFacts {
  dayVisits: number
  /** Visits of the quarter hours that lie wholly within the edge. */
  within: number
  /** Visits of all quarter hours that the edge touches. */
  touched: number
  isRawGone: boolean
  /** Visits of the day are kept per hour. */
  isFolded: boolean
}

async function edgeFacts(database: Database, linkId: number, parts: Range[]): Promise<EdgeFacts[]> {
  const floor = (date: Date) => new Date(Math.floor(date.getTime() / quarterMs) * quarterMs)
  const ceil = (date: Date) => new Date(Math.ceil(date.getTime() / quarterMs) * quarterMs)
  const values = parts.map(
    ({ from, to }, place) =>
      sql`(${place}::integer, ${dayText(dayNumber(from.getTime()))}::date, ${ceil(from)}::timestamptz, ${floor(to)}::timestamptz, ${floor(from)}::timestamptz, ${ceil(to)}::timestamptz)`,
  )
  const { rows } = await sql<EdgeFacts>`
    SELECT coalesce(days.visits, 0)::bigint AS "dayVisits", counted.within, counted.touched,
           edge.day < raw_visits_from AS "isRawGone", edge.day < quarters_from AS "isFolded"
    FROM retention CROSS JOIN (VALUES ${sql.join(values)}) AS edge (place, day, within_from, within_to, touched_from, touched_to)
    LEFT JOIN link_days AS days ON days.link_id = ${linkId} AND days.day = edge.day
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(visits) FILTER (WHERE quarter >= within_from AND quarter < within_to), 0)::bigint AS within,
             coalesce(sum(visits), 0)::bigint AS touched
      FROM link_quarters
      WHERE link_id = ${linkId} AND quarter >= touched_from AND quarter < touched_to
    ) AS counted
    ORDER BY place`.execute(database)
  return rows
}
