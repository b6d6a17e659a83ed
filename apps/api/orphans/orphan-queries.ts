import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool } from 'pg'
import type { SlugCounts } from './frequent-slugs.ts'

/** 1,001 rows per day of at most 100 bytes: 9 MB in the 90 days for which they are kept. */
export const maxSlugsPerDay = 1_000

/**
 * Adds the counts to those of a UTC day (`YYYY-MM-DD`), of which at most `maxSlugsPerDay` slugs are kept.
 *
 * If there are more, the count of the first one too many is subtracted from all, and what that removes is added to the
 * others (slug ''). This is how two Misra-Gries summaries are merged (Agarwal et al., "Mergeable summaries", PODS 2012,
 * section 3), so the guarantees of frequent-slugs.ts hold for the whole day and all processes. If only the highest
 * counts were kept, early slugs could keep later ones out forever.
 *
 * The lock lets one process merge at a time. It is taken in a statement of its own, so that the merge sees the result of
 * the previous one.
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

/** Writes only changed rows, sorted by slug. */
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
