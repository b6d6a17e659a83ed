import type { Pool } from 'pg'
import type { Link } from './link.ts'

interface LinkRow {
  id: number
  slug: string
  long_url: string
  expires_at: Date | null
}

/** The links that have these slugs, by slug. */
export async function findLinks(pool: Pool, slugs: string[]): Promise<Map<string, Link>> {
  const result = await pool.query<LinkRow>({
    name: 'find-links',
    text: 'SELECT id, slug, long_url, expires_at FROM links WHERE slug = ANY($1::text[])',
    values: [slugs],
  })
  return new Map(
    result.rows.map(row => [
      row.slug,
      { id: row.id, longUrl: row.long_url, expiresAt: row.expires_at?.getTime() },
    ]),
  )
}

/** The next slugs in their order, up to `limit`. As one text: 5,000 rows would take the process 4 ms, and this 1 ms. */
export async function slugsAfter(pool: Pool, slug: string, limit: number): Promise<string[]> {
  const result = await pool.query<{ slugs: string | null }>({
    name: 'slugs-after',
    text: `SELECT string_agg(slug, ' ' ORDER BY slug) AS slugs
           FROM (SELECT slug FROM links WHERE slug > $1 ORDER BY slug LIMIT $2) AS page`,
    values: [slug, limit],
  })
  return result.rows[0]?.slugs?.split(' ') ?? []
}

export interface NewLink {
  slug: string
  longUrl: string
  expiresAt: Date | undefined
  /** SHA-256 of the URL, for a link that may exist once. */
  reuseKey: Buffer | undefined
}

export interface StoredLink {
  slug: string
  longUrl: string
  createdAt: Date
  expiresAt: Date | undefined
}

interface StoredRow {
  slug: string
  long_url: string
  created_at: Date
  expires_at: Date | null
}

/**
 * Inserts links in one statement, and tells the other processes about the new slugs in the same transaction
 * (NOTIFY is delivered at COMMIT). Links whose slug or reuse key exists are left out of the answer.
 *
 * Two such statements wait for each other where both have a slug or a reuse key. Those with a reuse key have a slug that
 * was drawn, so in this order no two can wait in a circle.
 */
export async function insertLinks(pool: Pool, links: NewLink[]): Promise<Map<string, StoredLink>> {
  const result = await pool.query<StoredRow>({
    name: 'insert-links',
    text: `WITH made AS (
             INSERT INTO links (slug, long_url, expires_at, reuse_key)
             SELECT slug, long_url, expires_at, reuse_key
             FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bytea[]) AS link (slug, long_url, expires_at, reuse_key)
             ORDER BY reuse_key, slug
             ON CONFLICT DO NOTHING
             RETURNING slug, long_url, created_at, expires_at
           ), told AS (
             SELECT pg_notify('hopcount_links', string_agg(slug, ' '))
             FROM (SELECT slug, (row_number() OVER () - 1) / 100 AS message FROM made) AS numbered
             GROUP BY message
           )
           SELECT made.*, (SELECT count(*) FROM told) FROM made`,
    values: [
      links.map(link => link.slug),
      links.map(link => link.longUrl),
      links.map(link => link.expiresAt ?? null),
      links.map(link => link.reuseKey ?? null),
    ],
  })
  return new Map(result.rows.map(row => [row.slug, storedLink(row)]))
}

/** For each URL the oldest link to it that never expires. */
export async function findLinksTo(pool: Pool, longUrls: string[]): Promise<Map<string, StoredLink>> {
  const result = await pool.query<StoredRow>({
    name: 'find-links-to',
    text: `SELECT DISTINCT ON (long_url) slug, long_url, created_at, expires_at FROM links
           WHERE long_url = ANY($1::text[]) AND expires_at IS NULL
           ORDER BY long_url, id`,
    values: [longUrls],
  })
  return new Map(result.rows.map(row => [row.long_url, storedLink(row)]))
}

function storedLink(row: StoredRow): StoredLink {
  return {
    slug: row.slug,
    longUrl: row.long_url,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
  }
}
