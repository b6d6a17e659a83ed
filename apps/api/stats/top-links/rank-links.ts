/**
 * The links on one page of a top list, in order. Exact, in time that does not grow with the number of visits, and
 * without an index on a counter.
 *
 * It works with a threshold `T`, a value that at least a page of links reaches. A link's value is never higher than its
 * visits, and a link with `T` visits in a window of `D` days has at least `T / D` on one of them. The index on
 * (day, magnitude) finds all links with such a day, and only those are summed up. `T` comes from each day's most visited
 * links, or for later pages from the end of the page before; when too few links reach it, it is lowered. A page counts
 * only if all of its links reach `T`, so no link that was not read can belong on it.
 */
import { allLinks } from '@hopcount/shared/all-links.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import { rankBeforeLastVisit, rankByLastVisit } from './rank-by-last-visit.ts'
import type { RankedLink, TopPosition, TopQuery, TopSort } from './ranked-page.ts'
import { isAmong, rankedPage, rowValue, totalValue } from './ranked-page.ts'
import type { TopWindow } from './top-window.ts'
import { splitSpan } from './top-window.ts'
import { isOnDays, windowRows, windowValue } from './window-rows.ts'

/** With more candidates than this, reading all links of the window costs less than looking up each of them. */
const maxCandidates = 20_000
const growthSeeds = 100

/** Call within one snapshot: the first read decides what is read next. */
export async function rankLinks(database: Database, query: TopQuery): Promise<RankedLink[]> {
  if (query.matching !== undefined) return rankMatching(database, query, query.matching)
  if (query.sort === 'last_visit') return rankByLastVisit(database, query)
  return rankByThreshold(database, query)
}

/** The links just before a position, nearest first: a page backwards. */
export async function rankLinksBefore(
  database: Database,
  query: Omit<TopQuery, 'matching' | 'after'>,
  before: TopPosition,
): Promise<RankedLink[]> {
  const backwards: TopQuery = { ...query, matching: undefined, after: before, isBackwards: true }
  if (query.sort === 'last_visit') return rankBeforeLastVisit(database, backwards, before)
  const days = query.window === undefined ? undefined : splitSpan(query.window).days
  const visitsPerDay = Math.max(1, Math.ceil(before.value / (days?.length ?? 1)))
  const candidates = await linksWithAtLeast(database, days, visitsPerDay)
  return rankAmong(
    database,
    backwards,
    candidates === undefined ? sql`link_id <> ${allLinks}` : isAmong(candidates),
  )
}

/** Links that match a search are listed with or without visits. */
function rankMatching(
  database: Database,
  query: TopQuery,
  matching: RawBuilder<unknown>,
): Promise<RankedLink[]> {
  return rankedPage(database, valuesOf(matching, query), query)
}

/**
 * A query for `link_id` and `value` of links with or without visits.
 *
 * @param links a query for their ids
 */
export function valuesOf(
  links: RawBuilder<unknown>,
  { sort, window }: Pick<TopQuery, 'sort' | 'window'>,
): RawBuilder<unknown> {
  return window === undefined || sort === 'last_visit'
    ? sql`SELECT id AS link_id, coalesce(${totalValue(sort)}, 0) AS value
          FROM (${links}) AS matching LEFT JOIN link_totals AS total ON total.link_id = id`
    : sql`SELECT id AS link_id, coalesce(counted.value, 0) AS value
          FROM (${links}) AS matching LEFT JOIN (
            SELECT link_id, ${windowValue(sort)} AS value
            FROM (${windowRows(window, sort, sql`link_id IN (${links})`)}) AS part GROUP BY link_id
          ) AS counted ON counted.link_id = id`
}

async function rankByThreshold(database: Database, query: TopQuery): Promise<RankedLink[]> {
  const { limit, after, window, sort } = query
  const days = window === undefined ? undefined : splitSpan(window).days
  let threshold = after === undefined ? await firstThreshold(database, query) : after.value / 2
  for (; threshold >= 1; threshold /= 4) {
    const visitsPerDay = Math.ceil(threshold / (days?.length ?? 1))
    const candidates = await linksWithAtLeast(database, days, visitsPerDay)
    if (candidates === undefined) break
    const mayReach =
      window === undefined ? candidates : await withinReach(database, window, sort, candidates, threshold)
    const ranked = await rankAmong(database, query, isAmong(mayReach))
    if (ranked.length === limit && (ranked.at(-1)?.value ?? 0) >= threshold) return ranked
  }
  return rankAmong(database, query, sql`link_id <> ${allLinks}`)
}

/** What the last of a page of promising links reaches; 0 if they don't fill a page. */
async function firstThreshold(database: Database, query: TopQuery): Promise<number> {
  const ranked = await rankAmong(database, query, isAmong(await mostPromising(database, query)))
  return ranked.length < query.limit ? 0 : (ranked.at(-1)?.value ?? 0)
}

function rankAmong(database: Database, query: TopQuery, links: RawBuilder<unknown>): Promise<RankedLink[]> {
  const { window, sort } = query
  const values =
    window === undefined
      ? sql`SELECT link_id, ${totalValue(sort)} AS value FROM link_totals AS total WHERE ${links}`
      : sql`SELECT link_id, ${windowValue(sort)} AS value FROM (${windowRows(window, sort, links)}) AS part
            GROUP BY link_id HAVING sum(visits) > 0`
  return rankedPage(database, values, query)
}

/**
 * Three pages of the most promising links, judged by the most visited links of each day, or of all time. For growth:
 * by how much they gained on these days over the days before.
 */
async function mostPromising(database: Database, { window, sort, limit }: TopQuery): Promise<number[]> {
  const value = rowValue(sort)
  const days = window === undefined ? [] : splitSpan(window).days
  const daysBefore = window !== undefined && sort === 'growth' ? splitSpan(window.before).days : []
  // Only about half of the most visited links grow, so a threshold above zero takes more of them.
  const perDay = sort === 'growth' ? Math.max(limit, growthSeeds) : limit
  const { rows } = await sql<{ linkId: number }>`
    SELECT link_id AS "linkId" FROM ${
      window === undefined
        ? sql`(
            SELECT link_id, ${value} AS value FROM link_totals
            WHERE link_id <> ${allLinks} ORDER BY magnitude DESC LIMIT ${3 * limit}
          ) AS top`
        : sql`(
            SELECT day, 1 AS sign FROM unnest(${days}::date[]) AS day
            UNION ALL SELECT day, -1 FROM unnest(${daysBefore}::date[]) AS day
          ) AS wanted, LATERAL (
            SELECT link_id, sign * (${value}) AS value FROM link_days
            WHERE link_days.day = wanted.day AND link_id <> ${allLinks} ORDER BY magnitude DESC LIMIT ${perDay}
          ) AS top`
    }
    GROUP BY link_id ORDER BY sum(value) DESC LIMIT ${3 * limit}`.execute(database)
  return rows.map(row => row.linkId)
}

/** The links with at least this many visits on one of the days, or in total; undefined if they are too many to look up. */
async function linksWithAtLeast(
  database: Database,
  days: string[] | undefined,
  visits: number,
): Promise<number[] | undefined> {
  const { rows } = await sql<{ linkId: number }>`
    SELECT DISTINCT link_id AS "linkId"
    FROM ${days === undefined ? sql`link_totals` : sql`link_days`}
    WHERE ${hasAtLeast(visits)} AND link_id <> ${allLinks}
      AND ${days === undefined ? sql`true` : sql`day = ANY(${days}::date[])`}
    LIMIT ${maxCandidates + 1}`.execute(database)
  return rows.length > maxCandidates ? undefined : rows.map(row => row.linkId)
}

/** `visits >= n` in a form that the index on the magnitude can serve. */
function hasAtLeast(visits: number): RawBuilder<unknown> {
  return sql`magnitude >= ${lowestMagnitude(visits)} AND visits >= ${visits}`
}

/**
 * No higher than the generated column `magnitude` of a row with that many visits (db/schema.sql, link_totals and
 * link_days): four steps per doubling, below 64 visits in whole doublings. One less from 64 on, where JavaScript and
 * PostgreSQL may round the logarithm differently.
 */
function lowestMagnitude(visits: number): number {
  return visits < 64 ? 4 * Math.floor(Math.log2(visits)) : Math.floor(4 * Math.log2(visits)) - 1
}

/**
 * Those of the links whose value may reach the threshold, judged by days alone. The window's edges, which may be a
 * hundred quarter hours per link, count as whole days, and those of the period before count as nothing.
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
      SELECT link_id, ${rowValue(sort)} AS value FROM link_days WHERE ${isOnDays(days)} AND ${isAmong(ids)}
      UNION ALL SELECT link_id, -visits FROM link_days WHERE ${isOnDays(daysBefore)} AND ${isAmong(ids)}
    ) AS part
    GROUP BY link_id HAVING sum(value) >= ${threshold}::float8`.execute(database)
  return rows.map(row => row.linkId)
}
