import type { Pool } from 'pg'

export interface Difference {
  what: string
  expected: number
  found: number
}

/** At most this many differences are listed. */
const maxDifferences = 50

/**
 * Compares what counts visits with the raw visits: totals per link, quarter hours per link, and the ledger's sum.
 * Empty when all agree. One snapshot, so recording may go on meanwhile.
 */
export async function compareCounts(pool: Pool): Promise<Difference[]> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const result = await client.query<Difference>(
      `WITH raw AS MATERIALIZED (
         SELECT link_id, date_bin('15 minutes', visited_at, 'epoch'::timestamptz) AS quarter, count(*) AS visits,
                min(visited_at) AS first_visit, max(visited_at) AS last_visit
         FROM visits GROUP BY 1, 2
       ),
       raw_total AS (
         SELECT link_id, sum(visits)::bigint AS visits, min(first_visit) AS first_visit, max(last_visit) AS last_visit
         FROM raw GROUP BY 1
       )
       SELECT 'total of link ' || link_id AS what, coalesce(raw_total.visits, 0) AS expected, coalesce(total.visits, 0) AS found
       FROM raw_total FULL JOIN (SELECT * FROM link_totals WHERE link_id > 0) AS total USING (link_id)
       WHERE raw_total.visits IS DISTINCT FROM total.visits
       UNION ALL
       SELECT 'first or last visit of link ' || link_id, raw_total.visits, total.visits
       FROM raw_total JOIN link_totals AS total USING (link_id)
       WHERE (raw_total.first_visit, raw_total.last_visit) <> (total.first_visit, total.last_visit)
       UNION ALL
       SELECT 'quarter ' || quarter || ' of link ' || link_id, coalesce(raw.visits, 0), coalesce(total.visits, 0)
       FROM raw FULL JOIN (SELECT * FROM link_quarters WHERE link_id > 0) AS total USING (link_id, quarter)
       WHERE raw.visits IS DISTINCT FROM total.visits
       UNION ALL
       SELECT 'sum of the ledger', expected, found
       FROM (SELECT coalesce(sum(visits), 0)::bigint AS expected FROM raw) AS visits,
            (SELECT ((SELECT coalesce(sum(counted), 0) FROM ledger) + (SELECT coalesce(sum(visits), 0) FROM ledger_watermarks))::bigint AS found) AS ledger
       WHERE expected <> found
       LIMIT $1`,
      [maxDifferences],
    )
    await client.query('COMMIT')
    return result.rows
  } finally {
    client.release()
  }
}
