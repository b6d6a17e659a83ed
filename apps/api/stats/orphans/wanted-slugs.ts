import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayNumber, dayText } from '@hopcount/shared/days.ts'
import { sql } from 'kysely'

export interface WantedSlugs {
  /** For all slugs, listed or not. */
  requests: number
  /** Most requested first, ties in byte order; `lastDay` as `YYYY-MM-DD`. */
  slugs: { slug: string; requests: number; lastDay: string }[]
}

/** The most requested slugs that still aren't links, over the UTC days that begin in [from, to). */
export async function wantedSlugs(
  database: Database,
  from: Date,
  to: Date,
  limit: number,
): Promise<WantedSlugs> {
  // A scalar subquery checks row by row, from the top, whether a slug has become a link, and stops at `limit`; a join
  // would check every slug.
  const { rows } = await sql<WantedSlugs>`
    WITH wanted AS MATERIALIZED (
      SELECT slug, sum(requests)::bigint AS requests, max(day) AS "lastDay"
      FROM orphan_visits WHERE day >= ${dayText(dayNumber(from.getTime()))}::date AND day < ${dayText(dayNumber(to.getTime()))}::date
      GROUP BY slug
    )
    SELECT coalesce((SELECT sum(requests) FROM wanted), 0)::bigint AS requests,
           coalesce((SELECT json_agg(top) FROM (
             SELECT * FROM (SELECT * FROM wanted WHERE slug <> '' ORDER BY requests DESC, slug OFFSET 0) AS sorted
             WHERE (SELECT true FROM links WHERE links.slug = sorted.slug) IS NULL
             ORDER BY requests DESC, slug
             LIMIT ${limit}
           ) AS top), '[]') AS slugs`.execute(database)
  return rows[0] ?? { requests: 0, slugs: [] }
}
