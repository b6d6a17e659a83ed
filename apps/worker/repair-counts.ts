import type { Pool } from 'pg'

/**
 * Rebuilds totals and quarter hours from the raw visits, in one transaction. Recording waits meanwhile: it takes the
 * ledger first, and the ledger is locked here. Returns how many rows were put right.
 */
export async function repairCounts(pool: Pool): Promise<number> {
  const client = await pool.connect()
  let failed = true
  try {
    await client.query('BEGIN')
    await client.query('LOCK TABLE ledger IN SHARE ROW EXCLUSIVE MODE')
    let repaired = 0
    for (const statement of statements) repaired += (await client.query(statement)).rowCount ?? 0
    await client.query('COMMIT')
    failed = false
    return repaired
  } finally {
    if (failed) await client.query('ROLLBACK').catch(() => {})
    client.release(failed)
  }
}

const rawQuarters = `
  SELECT link_id, date_bin('15 minutes', visited_at, 'epoch'::timestamptz) AS quarter, count(*) AS visits
  FROM visits GROUP BY 1, 2`

const rawTotals = `
  SELECT link_id, count(*) AS visits, min(visited_at) AS first_visit, max(visited_at) AS last_visit
  FROM visits GROUP BY 1`

const statements = [
  `DELETE FROM link_quarters AS total
   WHERE NOT EXISTS (SELECT FROM (${rawQuarters}) AS raw WHERE raw.link_id = total.link_id AND raw.quarter = total.quarter)`,
  `INSERT INTO link_quarters AS total (link_id, quarter, visits) ${rawQuarters}
   ON CONFLICT (link_id, quarter) DO UPDATE SET visits = excluded.visits WHERE total.visits <> excluded.visits`,
  `DELETE FROM link_totals AS total
   WHERE NOT EXISTS (SELECT FROM visits WHERE visits.link_id = total.link_id)`,
  `INSERT INTO link_totals AS total (link_id, visits, first_visit, last_visit) ${rawTotals}
   ON CONFLICT (link_id) DO UPDATE SET visits = excluded.visits, first_visit = excluded.first_visit, last_visit = excluded.last_visit
   WHERE (total.visits, total.first_visit, total.last_visit) <> (excluded.visits, excluded.first_visit, excluded.last_visit)`,
]
