import { allLinks } from '@hopcount/shared/all-links.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayNumber, dayText } from '@hopcount/shared/days.ts'
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import type { LinkState } from '../../links/link-state.ts'
import { linkStateSql } from '../../links/link-state.ts'
import type { StoredCounts } from '../counts.ts'
import { rankLinks } from './rank-links.ts'
import type { RankedLink, TopPosition, TopQuery } from './ranked-page.ts'
import { isAmong } from './ranked-page.ts'
import { windowRows } from './window-rows.ts'

export interface TopLink extends StoredCounts {
  linkId: number
  slug: string
  longUrl: string
  createdAt: Date
  state: LinkState
  uniques: number
  lastVisit: Date | null
  /** Visits in the preceding period; 0 unless sorted by growth. */
  before: number
  /** The value that the list is sorted by. */
  value: number
}

/** A page of the list, from one snapshot. */
export function topLinks(database: Database, query: TopQuery): Promise<TopLink[]> {
  const { window, sort, matching } = query
  if (window === undefined && sort === 'visits' && matching === undefined)
    return mostVisitedOfAllTime(database, query.limit, query.after)
  return database
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async snapshot => describeLinks(snapshot, query, await rankLinks(snapshot, query)))
}

/**
 * The most visited links of all time, the most frequent request, in one query. Exact without an index on the counter:
 * the index on the magnitude finds the highest magnitudes that have `limit` links together, and only those are sorted.
 */
async function mostVisitedOfAllTime(
  database: Database,
  limit: number,
  after: TopPosition | undefined,
): Promise<TopLink[]> {
  const { rows } = await sql<TopLink>`
    WITH page AS (SELECT ${after?.value ?? null}::bigint AS visits, ${after?.linkId ?? null}::bigint AS link_id),
    ceiling AS (
      SELECT coalesce((SELECT total.magnitude FROM page JOIN link_totals AS total USING (link_id)), 32767) AS magnitude
    ),
    lowest AS (
      SELECT coalesce((
        SELECT magnitude FROM link_totals
        WHERE magnitude < (SELECT magnitude FROM ceiling) AND link_id <> ${allLinks}
        ORDER BY magnitude DESC OFFSET ${limit - 1} LIMIT 1
      ), 0) AS magnitude
    )
    SELECT links.id AS "linkId", links.slug, links.long_url AS "longUrl", links.created_at AS "createdAt",
           ${sql.raw(linkStateSql)} AS state,
           top.visits, top.bots, top.previews, top.uniques, top.last_visit AS "lastVisit", 0 AS before, top.visits AS value
    FROM (
      SELECT total.*
      FROM link_totals AS total, page
      WHERE total.magnitude BETWEEN (SELECT magnitude FROM lowest) AND (SELECT magnitude FROM ceiling)
        AND total.link_id <> ${allLinks}
        AND (page.visits IS NULL OR total.visits < page.visits OR (total.visits = page.visits AND total.link_id > page.link_id))
      ORDER BY total.visits DESC, total.link_id
      LIMIT ${limit}
    ) AS top JOIN links ON links.id = top.link_id
    ORDER BY top.visits DESC, top.link_id`.execute(database)
  return rows
}

/** Adds the figures to ranked links, in the same order. */
async function describeLinks(
  database: Database,
  { window, sort }: TopQuery,
  ranked: RankedLink[],
): Promise<TopLink[]> {
  const ids = ranked.map(({ linkId }) => linkId)
  const counted =
    window === undefined
      ? sql`SELECT link_id, visits, bots, previews, uniques, 0 AS before FROM link_totals WHERE ${isAmong(ids)}`
      : sql`SELECT link_id, sum(visits)::bigint AS visits, sum(bots)::bigint AS bots, sum(previews)::bigint AS previews,
                   sum(uniques)::bigint AS uniques, sum(before)::bigint AS before
            FROM (${windowRows(window, sort, isAmong(ids))}) AS part GROUP BY link_id`
  const { rows } = await sql<TopLink>`
    SELECT links.id AS "linkId", links.slug, links.long_url AS "longUrl", links.created_at AS "createdAt",
           ${sql.raw(linkStateSql)} AS state,
           coalesce(counted.visits, 0) AS visits, coalesce(counted.bots, 0) AS bots,
           coalesce(counted.previews, 0) AS previews, coalesce(counted.uniques, 0) AS uniques,
           total.last_visit AS "lastVisit", coalesce(counted.before, 0) AS before, ranked.value
    FROM unnest(${ids}::bigint[], ${ranked.map(({ value }) => value)}::bigint[]) WITH ORDINALITY AS ranked (link_id, value, place)
    JOIN links ON links.id = ranked.link_id
    LEFT JOIN link_totals AS total ON total.link_id = ranked.link_id
    LEFT JOIN (${counted}) AS counted ON counted.link_id = ranked.link_id
    ORDER BY ranked.place`.execute(database)
  return rows
}

/**
 * A query for the ids of the links that match a search: their slug starts with the text, or they lead to the URL.
 * Undefined if no link can match.
 */
export function linksMatching(search: string): RawBuilder<unknown> | undefined {
  // Slugs are compared byte by byte and have no character above "z".
  if (/^[A-Za-z0-9_-]{1,64}$/.test(search))
    return sql`SELECT id FROM links WHERE slug >= ${search} AND slug < ${`${search}\x7f`}`
  // URLs are stored as the URL parser serializes them.
  const url = URL.parse(search)
  return url === null ? undefined : sql`SELECT id FROM links WHERE long_url = ${url.href}`
}

export function linkNamed(slug: string): RawBuilder<unknown> {
  return sql`SELECT id FROM links WHERE slug = ${slug}`
}

const sparklineDays = 7

/** Visits by humans on each of the last 7 UTC days up to `now`, oldest first. */
export async function sparklines(
  database: Database,
  linkIds: number[],
  now: Date,
): Promise<Map<number, number[]>> {
  const today = dayNumber(now.getTime())
  const days = Array.from({ length: sparklineDays }, (_, i) => dayText(today - (sparklineDays - 1 - i)))
  const { rows } = await sql<{ linkId: number; place: number; humans: number }>`
    SELECT link_id AS "linkId", array_position(${days}::date[], day) - 1 AS place, visits - bots - previews AS humans
    FROM link_days
    WHERE ${isAmong(linkIds)} AND day >= ${days[0]}::date AND day <= ${days.at(-1)}::date`.execute(database)
  const lines = new Map(linkIds.map(linkId => [linkId, days.map(() => 0)]))
  for (const { linkId, place, humans } of rows) lines.get(linkId)?.splice(place, 1, humans)
  return lines
}
