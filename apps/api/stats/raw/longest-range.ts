/**
 * How many raw visits can be counted within the time limit, and so the longest range that can be offered where a range is
 * too long. It is found from aggregates, in time that does not grow with the number of visits.
 *
 * The limit is learned from reports, since it depends on the machine: the ones that were counted, and the ones that were
 * not. An offer is for half of what should be possible.
 */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { sql } from 'kysely'
import type { Buckets } from '../series/series-range.ts'
import { readTimeZone } from '../series/series-range.ts'
import type { Longest, TooMuch } from './count-filtered.ts'
import { maxMs } from './count-filtered.ts'

export interface RangeLimits {
  /** A report on these buckets took so long. */
  took(database: Database, linkId: number, buckets: Buckets, ms: number): Promise<void>
  /** The end of the buckets that can be counted; undefined if not even the last hour can. */
  longest(
    database: Database,
    linkId: number,
    buckets: Buckets,
    timeZone: string,
    reason: TooMuch,
  ): Promise<Longest | undefined>
}

/** Before the first report: measured were 150 and more (PostgreSQL 15, two cores shared with everything else). */
const firstVisitsPerMs = 100
/** However slow a moment was. */
const lowestVisitsPerMs = 10
/** Shorter reports say more about their fixed cost. */
const tellingMs = 200
const offeredShare = 0.5
const hourMs = 3_600_000

export function learnRangeLimits(): RangeLimits {
  let visitsPerMs = firstVisitsPerMs

  async function took(database: Database, linkId: number, buckets: Buckets, ms: number): Promise<void> {
    const measured = (await visitsIn(database, linkId, buckets)) / ms
    if (ms >= tellingMs || measured > visitsPerMs) visitsPerMs += 0.3 * (measured - visitsPerMs)
  }

  async function longest(
    database: Database,
    linkId: number,
    buckets: Buckets,
    timeZone: string,
    reason: TooMuch,
  ): Promise<Longest | undefined> {
    const { starts, end } = buckets
    const first = starts[0] ?? end
    const visits = await visitsIn(database, linkId, buckets)
    let from = reason.tooMuch === 'retention' && reason.earliest > first ? reason.earliest : first
    if (reason.tooMuch === 'time')
      visitsPerMs = Math.max(Math.min(visitsPerMs, visits / maxMs), lowestVisitsPerMs)
    const tooMany = reason.tooMuch === 'retention' ? Number.POSITIVE_INFINITY : visits
    const most = offeredShare * Math.min(visitsPerMs * maxMs, tooMany)
    const after = await lastQuarterBefore(database, linkId, { from, to: end }, most)
    // Old quarter hours are folded into hours.
    if (after !== undefined) from = new Date((Math.floor(after.getTime() / hourMs) + 1) * hourMs)
    // Without the part of a day, unless that is most of it.
    const until = Math.min(end.getTime(), Date.now())
    const day = startOfDayFrom(from, timeZone)
    if (until - day.getTime() > (until - from.getTime()) / 2) from = day
    return from.getTime() < until ? { from, to: end } : undefined
  }

  return { took, longest }
}

async function visitsIn(database: Database, linkId: number, { starts, end }: Buckets): Promise<number> {
  const { rows } = await sql<{ visits: number }>`
    SELECT coalesce(sum(visits), 0)::bigint AS visits FROM link_quarters
    WHERE link_id = ${linkId} AND quarter >= ${starts[0] ?? end}::timestamptz AND quarter < ${end}::timestamptz`.execute(
    database,
  )
  return rows[0]?.visits ?? 0
}

/** The latest quarter hour from which on there are more than `most` visits; undefined if there are never so many. */
async function lastQuarterBefore(
  database: Database,
  linkId: number,
  { from, to }: Longest,
  most: number,
): Promise<Date | undefined> {
  const { rows } = await sql<{ quarter: Date | null }>`
    SELECT max(quarter) AS quarter FROM (
      SELECT quarter, sum(visits) OVER (ORDER BY quarter DESC) AS visits FROM link_quarters
      WHERE link_id = ${linkId} AND quarter >= ${from}::timestamptz AND quarter < ${to}::timestamptz
    ) AS summed WHERE visits > ${most}::float8`.execute(database)
  return rows[0]?.quarter ?? undefined
}

/** The first midnight in the zone that is not before the moment. */
function startOfDayFrom(moment: Date, timeZone: string): Date {
  const zoned = Temporal.Instant.fromEpochMilliseconds(moment.getTime()).toZonedDateTimeISO(
    readTimeZone(timeZone),
  )
  const start = zoned.startOfDay()
  const midnight = start.epochMilliseconds < moment.getTime() ? start.add({ days: 1 }).startOfDay() : start
  return new Date(midnight.epochMilliseconds)
}
