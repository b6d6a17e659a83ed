/**
 * Which links a page of a top list shows, in order: exact, in time that does not grow with the number of visits, and
 * without an index on a counter.
 *
 * The threshold: `T` is a value that as many links reach as the page has room for. Whatever the list is sorted by is at
 * most the link's visits, and who has `T` visits in a window of `D` days has `T / D` or more on one of them. The index
 * on (day, magnitude) names all links with such a day, and only those are summed up. `T` comes from the most visited
 * links of each day, of later pages from where the page before ended; where too few links turn out to reach it, it is
 * lowered. Exact in any case: a page counts only when all of its links reach `T`, so that nobody unread can be among them.
 */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import { allLinksId } from '../subject.ts'
import type { Span, SplitSpan, TopWindow } from './top-window.ts'
import { dayText, splitSpan } from './top-window.ts'

export type TopSort = 'visits' | 'uniques' | 'last_visit' | 'growth'

export interface TopQuestion {
  limit: number
  sort: TopSort
  /** Undefined: all time. */
  window: TopWindow | undefined
  /** Which links, as a query of ids; undefined: all that have been visited. */
  matching: RawBuilder<unknown> | undefined
  after: TopPosition | undefined
}

/** Behind which link the next page begins: order is highest value first, then oldest link. */
export interface TopPosition {
  value: number
  linkId: number
}

/** Of links without visits the value is 0; of a last visit it is in ms since 1970. */
export type Ranked = TopPosition

/** Beyond, reading all links of the window costs less than looking up each candidate. */
const maxCandidates = 20_000
const growthSeeds = 100

/** Call within one snapshot: what is read first decides what is read next. */
export async function rankLinks(database: Database, question: TopQuestion): Promise<Ranked[]> {
  if (question.matching !== undefined) return matchingPage(database, question, question.matching)
  if (question.sort === 'last_visit') return lastVisitedPage(database, question)
  const { limit, after, window } = question
  const days = window === undefined ? undefined : splitSpan(window).days
  const page = (ids: number[] | undefined) =>
    valuesPage(database, question, ids === undefined ? sql`link_id <> ${allLinksId}` : among(ids))
  let threshold: number
  if (after !== undefined) threshold = after.value / 2
  else {
    const seeded = await page(await mostPromising(database, question))
    threshold = seeded.length < limit ? 0 : (seeded.at(-1)?.value ?? 0)
  }
  for (; threshold >= 1; threshold /= 4) {
    const visitsPerDay = Math.ceil(threshold / (days?.length ?? 1))
    const candidates = await linksOfAtLeast(database, days, visitsPerDay)
    if (candidates === undefined) break
    const ranked = await page(
      window === undefined
        ? candidates
        : await withinReach(database, window, question.sort, candidates, threshold),
    )
    if (ranked.length === limit && (ranked.at(-1)?.value ?? 0) >= threshold) return ranked
  }
  return page(undefined)
}

export function among(ids: number[]): RawBuilder<unknown> {
  return sql`link_id = ANY(${ids}::bigint[])`
}

/**
 * Three pages of the links that promise most, by the most visited links of each day, or of all time. By growth: by
 * what they had more on these days than on those before.
 */
async function mostPromising(database: Database, { window, sort, limit }: TopQuestion): Promise<number[]> {
  const value = sort === 'uniques' ? sql`uniques` : sql`visits`
  const days = window === undefined ? [] : splitSpan(window).days
  const daysBefore = window !== undefined && sort === 'growth' ? splitSpan(window.before).days : []
  // Of the most visited links half grow: a threshold above nothing takes more of them.
  const ofEachDay = sort === 'growth' ? Math.max(limit, growthSeeds) : limit
  const { rows } = await sql<{ linkId: number }>`
    SELECT link_id AS "linkId" FROM ${
      window === undefined
        ? sql`(
            SELECT link_id, ${value} AS value FROM link_totals
            WHERE link_id <> ${allLinksId} ORDER BY magnitude DESC LIMIT ${3 * limit}
          ) AS top`
        : sql`(
            SELECT day, 1 AS sign FROM unnest(${days}::date[]) AS day
            UNION ALL SELECT day, -1 FROM unnest(${daysBefore}::date[]) AS day
          ) AS asked, LATERAL (
            SELECT link_id, sign * ${value} AS value FROM link_days
            WHERE link_days.day = asked.day AND link_id <> ${allLinksId} ORDER BY magnitude DESC LIMIT ${ofEachDay}
          ) AS top`
    }
    GROUP BY link_id ORDER BY sum(value) DESC LIMIT ${3 * limit}`.execute(database)
  return rows.map(row => row.linkId)
}

/** The links that had as many visits on one of the days, or in all; undefined where they are too many to look up. */
async function linksOfAtLeast(
  database: Database,
  days: string[] | undefined,
  visits: number,
): Promise<number[] | undefined> {
  const { rows } = await sql<{ linkId: number }>`
    SELECT DISTINCT link_id AS "linkId"
    FROM ${days === undefined ? sql`link_totals` : sql`link_days`}
    WHERE magnitude >= ${lowestMagnitude(visits)} AND visits >= ${visits} AND link_id <> ${allLinksId}
      AND ${days === undefined ? sql`true` : sql`day = ANY(${days}::date[])`}
    LIMIT ${maxCandidates + 1}`.execute(database)
  return rows.length > maxCandidates ? undefined : rows.map(row => row.linkId)
}

/**
 * Of these links those whose value may reach the threshold, by their days alone: the window's edges, which may take a
 * hundred quarter hours of each link, count as whole days, and those of the period before as none.
 */
async function withinReach(
  database: Database,
  window: TopWindow,
  sort: TopSort,
  ids: number[],
  threshold: number,
): Promise<number[]> {
  const { days } = splitSpan(window)
  const daysBefore = sort === 'growth' ? splitSpan(window.before).wholeDays : []
  const { rows } = await sql<{ linkId: number }>`
    SELECT link_id AS "linkId" FROM (
      SELECT link_id, ${sort === 'uniques' ? sql`uniques` : sql`visits`} AS value FROM link_days WHERE ${onDays(days)} AND ${among(ids)}
      UNION ALL SELECT link_id, -visits FROM link_days WHERE ${onDays(daysBefore)} AND ${among(ids)}
    ) AS part
    GROUP BY link_id HAVING sum(value) >= ${threshold}::float8`.execute(database)
  return rows.map(row => row.linkId)
}

/** At most the magnitude that the tables compute of it; one less where logarithms may be rounded differently. */
function lowestMagnitude(visits: number): number {
  return visits < 64 ? 4 * Math.floor(Math.log2(visits)) : Math.floor(4 * Math.log2(visits)) - 1
}

async function valuesPage(
  database: Database,
  { limit, sort, window, after }: TopQuestion,
  links: RawBuilder<unknown>,
): Promise<Ranked[]> {
  const values =
    window === undefined
      ? sql`SELECT link_id, ${totalValue(sort)} AS value FROM link_totals AS total WHERE ${links}`
      : sql`SELECT link_id, ${windowValue(sort)} AS value FROM (${windowRows(window, sort, links)}) AS part
            GROUP BY link_id HAVING sum(visits) > 0`
  return pageOf(database, values, limit, after)
}

/** Links that match a search stand in the list with and without visits. */
async function matchingPage(
  database: Database,
  { limit, sort, window, after }: TopQuestion,
  matching: RawBuilder<unknown>,
): Promise<Ranked[]> {
  const fromTotals = window === undefined || sort === 'last_visit'
  const values = fromTotals
    ? sql`SELECT id AS link_id, coalesce(${totalValue(sort)}, 0) AS value
          FROM (${matching}) AS matching LEFT JOIN link_totals AS total ON total.link_id = id`
    : sql`SELECT id AS link_id, coalesce(counted.value, 0) AS value
          FROM (${matching}) AS matching LEFT JOIN (
            SELECT link_id, ${windowValue(sort)} AS value
            FROM (${windowRows(window, sort, sql`link_id IN (${matching})`)}) AS part GROUP BY link_id
          ) AS counted ON counted.link_id = id`
  return pageOf(database, values, limit, after)
}

async function pageOf(
  database: Database,
  values: RawBuilder<unknown>,
  limit: number,
  after: TopPosition | undefined,
): Promise<Ranked[]> {
  const { rows } = await sql<Ranked>`
    SELECT link_id AS "linkId", value FROM (${values}) AS ranked
    WHERE ${behind(after)} ORDER BY value DESC, link_id LIMIT ${limit}`.execute(database)
  return rows
}

function behind(after: TopPosition | undefined): RawBuilder<unknown> {
  if (after === undefined) return sql`true`
  const { value, linkId } = after
  return sql`(value < ${value}::bigint OR (value = ${value}::bigint AND link_id > ${linkId}::bigint))`
}

function totalValue(sort: TopSort): RawBuilder<unknown> {
  if (sort === 'last_visit') return sql`(extract(epoch FROM total.last_visit) * 1000)::bigint`
  return sort === 'uniques' ? sql`total.uniques` : sql`total.visits`
}

function windowValue(sort: TopSort): RawBuilder<unknown> {
  if (sort === 'growth') return sql`(sum(visits) - sum(before))::bigint`
  return sort === 'uniques' ? sql`sum(uniques)::bigint` : sql`sum(visits)::bigint`
}

/**
 * Rows that add up to a window's figures per link: `visits`, `bots`, `previews`, `uniques` (of the days touched, whole)
 * and `before`, the visits of the period before, where the sort needs them.
 */
export function windowRows(
  window: TopWindow,
  sort: TopSort,
  links: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const { days, wholeDays, edges } = splitSpan(window)
  const edgeDays = days.filter(day => !wholeDays.includes(day))
  const parts = [
    sql`SELECT link_id, visits, bots, previews, uniques, 0 AS before FROM link_days WHERE ${onDays(wholeDays)} AND ${links}`,
    sql`SELECT link_id, 0, 0, 0, uniques, 0 FROM link_days WHERE ${onDays(edgeDays)} AND ${links}`,
    ...edges.map(
      edge =>
        sql`SELECT link_id, visits, bots, previews, 0, 0 FROM link_quarters WHERE ${inQuarters(edge)} AND ${links}`,
    ),
    ...(sort === 'growth' ? rowsBefore(splitSpan(window.before), links) : []),
  ]
  return sql.join(parts, sql` UNION ALL `)
}

function rowsBefore({ wholeDays, edges }: SplitSpan, links: RawBuilder<unknown>): RawBuilder<unknown>[] {
  return [
    sql`SELECT link_id, 0, 0, 0, 0, visits FROM link_days WHERE ${onDays(wholeDays)} AND ${links}`,
    ...edges.map(
      edge =>
        sql`SELECT link_id, 0, 0, 0, 0, visits FROM link_quarters WHERE ${inQuarters(edge)} AND ${links}`,
    ),
  ]
}

function onDays(days: string[]): RawBuilder<unknown> {
  return sql`day >= ${days[0] ?? 'infinity'}::date AND day <= ${days.at(-1) ?? '-infinity'}::date AND day = ANY(${days}::date[])`
}

function inQuarters({ from, to }: Span): RawBuilder<unknown> {
  return sql`quarter >= ${from}::timestamptz AND quarter < ${to}::timestamptz`
}

const quarterMs = 15 * 60_000
const dayMs = 96 * quarterMs
/** Up to here quarter hours are read, beyond days. */
const quartersReachMs = 3 * dayMs

/**
 * The links visited last. Without an index on the time of the last visit, which changes with every visit: a link
 * visited since `X` has a quarter hour (or a day) since `X`, so the links of the latest quarter hours are sorted, of as
 * many as together hold a page.
 */
async function lastVisitedPage(database: Database, { limit, window, after }: TopQuestion): Promise<Ranked[]> {
  if (window !== undefined && !window.isOpen) return lastVisitedOf(database, window, limit, after)
  const earliest = window?.from.getTime() ?? 0
  const last = after === undefined ? undefined : Math.floor(after.value / quarterMs) * quarterMs
  const newest = await newestQuarter(database, last)
  if (newest === undefined) return []
  let reachMs = newest.getTime() - (await quarterHolding(database, newest, limit)).getTime()
  for (;;) {
    const from = Math.max(earliest, newest.getTime() - reachMs)
    const isAll = from <= earliest
    const since = new Date(from)
    const ranked = await pageOf(
      database,
      sql`SELECT link_id, ${totalValue('last_visit')} AS value FROM link_totals AS total
          WHERE last_visit >= ${since}::timestamptz AND link_id <> ${allLinksId}
            AND ${isAll && window === undefined ? sql`true` : sql`link_id IN (${visitedBetween(since, last)})`}`,
      limit,
      after,
    )
    if (isAll || ranked.length === limit) return ranked
    reachMs = 4 * Math.max(reachMs, quarterMs)
  }
}

/** Links that have a quarter hour, or where that would be many a day, from `from` to the one that begins at `last`. */
function visitedBetween(from: Date, last: number | undefined): RawBuilder<unknown> {
  const until = new Date(last ?? Date.now() + dayMs)
  // Old quarter hours are folded into hours.
  return until.getTime() - from.getTime() <= quartersReachMs
    ? sql`SELECT link_id FROM link_quarters
          WHERE quarter >= date_bin('1 hour', ${from}::timestamptz, 'epoch'::timestamptz) AND quarter <= ${until}::timestamptz`
    : sql`SELECT link_id FROM link_days
          WHERE day >= ${dayText(from.getTime())}::date AND day <= ${dayText(until.getTime())}::date`
}

/** The latest quarter hour with visits that is not later than `last`. */
async function newestQuarter(database: Database, last: number | undefined): Promise<Date | undefined> {
  const { rows } = await sql<{ quarter: Date }>`
    SELECT quarter FROM link_quarters
    WHERE link_id = ${allLinksId} AND ${last === undefined ? sql`true` : sql`quarter <= ${new Date(last)}::timestamptz`}
    ORDER BY quarter DESC LIMIT 1`.execute(database)
  return rows[0]?.quarter
}

/** Since when there were that many visits: fewer can't be of that many links. */
async function quarterHolding(database: Database, newest: Date, visits: number): Promise<Date> {
  const { rows } = await sql<{ quarter: Date }>`
    SELECT max(quarter) AS quarter FROM (
      SELECT quarter, sum(visits) OVER (ORDER BY quarter DESC) AS visits FROM (
        SELECT quarter, visits FROM link_quarters
        WHERE link_id = ${allLinksId} AND quarter <= ${newest}::timestamptz ORDER BY quarter DESC LIMIT ${visits}
      ) AS latest
    ) AS summed WHERE visits >= ${visits}`.execute(database)
  return rows[0]?.quarter ?? newest
}

/** A window of the past: no order of its links is known, so all of them are read. */
function lastVisitedOf(
  database: Database,
  window: TopWindow,
  limit: number,
  after: TopPosition | undefined,
): Promise<Ranked[]> {
  const visited = windowRows(window, 'visits', sql`link_id <> ${allLinksId}`)
  return pageOf(
    database,
    sql`SELECT link_id, ${totalValue('last_visit')} AS value FROM link_totals AS total
        WHERE link_id IN (SELECT link_id FROM (${visited}) AS part GROUP BY link_id HAVING sum(visits) > 0)`,
    limit,
    after,
  )
}
