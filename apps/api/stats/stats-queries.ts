import type { Database } from '@hopcount/shared/database.ts'
import { sql } from 'kysely'

export interface TopLink {
  linkId: number
  slug: string
  longUrl: string
  visits: number
  lastVisit: Date
}

/** Behind which link the next page begins: order is most visits first, then oldest link. */
export interface TopPosition {
  visits: number
  linkId: number
}

/**
 * The most visited links of all time. Exact without an index on the counter: the highest magnitudes that together hold
 * `limit` links are found through their index, and only those links are sorted.
 */
export async function topLinks(
  database: Database,
  limit: number,
  after: TopPosition | undefined,
): Promise<TopLink[]> {
  const { rows } = await sql<TopLink>`
    WITH page AS (SELECT ${after?.visits ?? null}::bigint AS visits, ${after?.linkId ?? null}::bigint AS link_id),
    ceiling AS (
      SELECT coalesce((SELECT total.magnitude FROM page JOIN link_totals AS total USING (link_id)), 32767) AS magnitude
    ),
    lowest AS (
      SELECT coalesce((
        SELECT magnitude FROM link_totals
        WHERE magnitude < (SELECT magnitude FROM ceiling)
        ORDER BY magnitude DESC OFFSET ${limit - 1} LIMIT 1
      ), 0) AS magnitude
    )
    SELECT link.id AS "linkId", link.slug, link.long_url AS "longUrl", top.visits, top.last_visit AS "lastVisit"
    FROM (
      SELECT total.link_id, total.visits, total.last_visit
      FROM link_totals AS total, page
      WHERE total.magnitude BETWEEN (SELECT magnitude FROM lowest) AND (SELECT magnitude FROM ceiling)
        AND (page.visits IS NULL OR total.visits < page.visits OR (total.visits = page.visits AND total.link_id > page.link_id))
      ORDER BY total.visits DESC, total.link_id
      LIMIT ${limit}
    ) AS top JOIN links AS link ON link.id = top.link_id
    ORDER BY top.visits DESC, top.link_id`.execute(database)
  return rows
}

/** The most visited links since the quarter hour that holds `from`. */
export async function topLinksSince(
  database: Database,
  from: Date,
  limit: number,
  after: TopPosition | undefined,
): Promise<TopLink[]> {
  const { rows } = await sql<TopLink>`
    SELECT link.id AS "linkId", link.slug, link.long_url AS "longUrl", top.visits, total.last_visit AS "lastVisit"
    FROM (
      SELECT link_id, sum(visits)::bigint AS visits
      FROM link_quarters
      WHERE quarter >= date_bin('15 minutes', ${from}::timestamptz, 'epoch'::timestamptz)
      GROUP BY link_id
      HAVING ${after?.visits ?? null}::bigint IS NULL
          OR sum(visits) < ${after?.visits ?? null}::bigint
          OR (sum(visits) = ${after?.visits ?? null}::bigint AND link_id > ${after?.linkId ?? null}::bigint)
      ORDER BY 2 DESC, link_id
      LIMIT ${limit}
    ) AS top
    JOIN links AS link ON link.id = top.link_id
    JOIN link_totals AS total ON total.link_id = top.link_id
    ORDER BY top.visits DESC, top.link_id`.execute(database)
  return rows
}

export interface LinkTotals {
  linkId: number
  slug: string
  longUrl: string
  visits: number
  firstVisit: Date | null
  lastVisit: Date | null
}

export function linkTotals(database: Database, slug: string): Promise<LinkTotals | undefined> {
  return database
    .selectFrom('links')
    .leftJoin('link_totals', 'link_totals.link_id', 'links.id')
    .select(({ ref, fn, lit }) => [
      'links.id as linkId',
      'links.slug',
      'links.long_url as longUrl',
      fn.coalesce(ref('link_totals.visits'), lit(0)).as('visits'),
      'link_totals.first_visit as firstVisit',
      'link_totals.last_visit as lastVisit',
    ])
    .where('links.slug', '=', slug)
    .executeTakeFirst()
}

/** The intervals of a series, one after the other: each ends where the next begins, the last one at `end`. */
export interface Buckets {
  starts: Date[]
  end: Date
}

export interface Bucket {
  start: Date
  visits: number
}

/** Visits per bucket, empty ones included. Buckets begin and end with quarter hours, so each is a sum of quarters. */
export async function visitSeries(database: Database, linkId: number, buckets: Buckets): Promise<Bucket[]> {
  const { starts, end } = buckets
  const { rows } = await sql<{ bucket: number; visits: number }>`
    WITH starts AS (
      SELECT array_agg(to_timestamp(ms / 1000.0) ORDER BY ms) AS list FROM unnest(${starts.map(Number)}::bigint[]) AS ms
    )
    SELECT width_bucket(quarter, (SELECT list FROM starts)) AS bucket, sum(visits)::bigint AS visits
    FROM link_quarters
    WHERE link_id = ${linkId}
      AND quarter >= (SELECT list[1] FROM starts)
      AND quarter < to_timestamp(${end.getTime()} / 1000.0)
    GROUP BY 1`.execute(database)
  const visits = new Map(rows.map(row => [row.bucket, row.visits]))
  return starts.map((start, i) => ({ start, visits: visits.get(i + 1) ?? 0 }))
}

export interface RecentVisit {
  visitedAt: Date
  referrer: string | null
  userAgent: string | null
}

/** The newest visits of a link. Ordered by minute first, as the index is; only visits of one minute are sorted. */
export async function recentVisits(
  database: Database,
  linkId: number,
  limit: number,
): Promise<RecentVisit[]> {
  const { rows } = await sql<RecentVisit>`
    SELECT visit.visited_at AS "visitedAt",
           coalesce(visit.referrer, referrer.text) AS referrer,
           coalesce(visit.user_agent, user_agent.text) AS "userAgent"
    FROM (
      SELECT * FROM visits WHERE link_id = ${linkId}
      ORDER BY date_bin('1 minute', visited_at, 'epoch'::timestamptz) DESC, visited_at DESC
      LIMIT ${limit}
    ) AS visit
    LEFT JOIN texts AS referrer ON referrer.id = visit.referrer_id
    LEFT JOIN texts AS user_agent ON user_agent.id = visit.user_agent_id
    ORDER BY visit.visited_at DESC`.execute(database)
  return rows
}
