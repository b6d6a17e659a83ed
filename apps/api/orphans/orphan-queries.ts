import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool } from 'pg'
import type { SlugCounts } from './frequent-slugs.ts'

/** What is kept of a day. 1,001 rows of at most 100 bytes: 9 MB in the 90 days for which they are kept. */
export const maxSlugsPerDay = 1_000

/**
 * Adds the counts to those of the day (UTC, `YYYY-MM-DD`), of which at most `maxSlugsPerDay` slugs are kept.
 *
 * Where there are more, the count of the first that is too many is taken from all, and what that takes goes to the others
 * (slug ''). This is how two summaries of Misra and Gries are merged (Agarwal et al., "Mergeable summaries", PODS 2012,
 * section 3): what frequent-slugs.ts promises then holds for the day and all processes. Slugs that came first
 * can't keep later ones out for ever, as they could if simply the highest counts stayed.
 *
 * One process at a time, by a lock taken in a statement of its own: the next one then sees what the last one left.
 */
export async function addOrphanVisits(pool: Pool, day: string, counts: SlugCounts): Promise<void> {
  await inTransaction(pool, async client => {
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('hopcount:orphan-visits'))`)
    await client.query(mergeStatement, [
      day,
      [...counts.requests.keys(), ''],
      [...counts.requests.values(), counts.others],
      maxSlugsPerDay,
    ])
  })
}

/** Writes only what has changed, sorted by slug. */
const mergeStatement = `
  WITH stored AS MATERIALIZED (SELECT slug, requests FROM orphan_visits WHERE day = $1),
  merged AS MATERIALIZED (
    SELECT slug, sum(requests)::bigint AS requests
    FROM (SELECT * FROM stored UNION ALL SELECT * FROM unnest($2::text[], $3::bigint[])) AS counts
    GROUP BY slug
  ),
  surplus AS MATERIALIZED (
    SELECT coalesce((SELECT requests FROM merged WHERE slug <> '' ORDER BY requests DESC OFFSET $4 LIMIT 1), 0) AS requests
  ),
  kept AS MATERIALIZED (
    SELECT slug, merged.requests - surplus.requests AS requests
    FROM merged, surplus WHERE slug <> '' AND merged.requests > surplus.requests
    UNION ALL
    SELECT '', sum(CASE slug WHEN '' THEN merged.requests ELSE least(merged.requests, surplus.requests) END)
    FROM merged, surplus
  ),
  gone AS (
    DELETE FROM orphan_visits
    WHERE day = $1 AND slug IN (SELECT slug FROM stored EXCEPT SELECT slug FROM kept)
  )
  INSERT INTO orphan_visits AS orphan (day, slug, requests)
  SELECT $1, slug, kept.requests FROM kept LEFT JOIN stored USING (slug)
  WHERE kept.requests <> coalesce(stored.requests, 0)
  ORDER BY slug
  ON CONFLICT (day, slug) DO UPDATE SET requests = excluded.requests`
