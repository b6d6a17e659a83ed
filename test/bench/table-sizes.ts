import type { Pool } from 'pg'

/**
 * Bytes of raw visits, including indexes, TOAST and free space: every table named visits…, and the dictionaries of texts,
 * user agents and referrers if they exist.
 */
export function rawVisitBytes(pool: Pool): Promise<number> {
  return tableBytes(pool, '^(visits(_.*)?|texts|user_agents.*|referrers.*)$')
}

/** Bytes of the counters and the ledger. */
export function aggregateBytes(pool: Pool): Promise<number> {
  return tableBytes(pool, '^(link_totals|link_quarters|ledger.*)$')
}

export async function tableBytes(pool: Pool, namePattern: string): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(
    `SELECT coalesce(sum(pg_total_relation_size(oid)), 0) AS bytes
     FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname ~ $1`,
    [namePattern],
  )
  return Number(rows[0]?.bytes)
}
