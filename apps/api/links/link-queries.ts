import type { ClientBase, Pool, QueryConfig, QueryResult, QueryResultRow } from 'pg'
import type { Link } from './link.ts'
import { createLink } from './link.ts'
import type { LinkFields } from './link-fields.ts'
import {
  changesOfCreation,
  describeFields,
  fieldColumns,
  fieldValues,
  isPlain,
  plainLink,
} from './link-fields.ts'

/** A pool or a connection. */
export interface Queries {
  query<Row extends QueryResultRow>(statement: QueryConfig): Promise<QueryResult<Row>>
}

interface LinkRow {
  id: number
  slug: string
  long_url: string
  expires_at: Date | null
  deleted_at: Date | null
  disabled_at: Date | null
  valid_from: Date | null
  expired_url: string | null
  max_visits: number | null
  forward_query: boolean
}

/** The links with these slugs, by slug. */
export async function findLinks(database: Queries, slugs: string[]): Promise<Map<string, Link>> {
  const result = await database.query<LinkRow>({
    name: 'find-links',
    text: `SELECT id, slug, long_url, expires_at, deleted_at, disabled_at, valid_from, expired_url, max_visits, forward_query
           FROM links WHERE slug = ANY($1::text[])`,
    values: [slugs],
  })
  return new Map(
    result.rows.map(row => [
      row.slug,
      createLink(row.id, row.long_url, row.expires_at?.getTime(), {
        isDisabled: row.disabled_at !== null,
        deletedAt: row.deleted_at?.getTime(),
        validFrom: row.valid_from?.getTime(),
        expiredUrl: row.expired_url ?? undefined,
        maxVisits: row.max_visits ?? undefined,
        forwardQuery: row.forward_query,
      }),
    ]),
  )
}

export async function findTitle(pool: Pool, linkId: number): Promise<string | null> {
  const { rows } = await pool.query<{ title: string | null }>({
    name: 'find-title',
    text: 'SELECT title FROM links WHERE id = $1',
    values: [linkId],
  })
  return rows[0]?.title ?? null
}

/** The next slugs in order, up to `limit`. Sent as one text: parsing 5,000 rows takes 4 ms, this takes 1 ms. */
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
  fields: LinkFields
  /** SHA-256 of the URL, for a link that may only exist once. */
  reuseKey: Buffer | undefined
  creator: Creator
}

export interface Creator {
  /** The API key's id; undefined: without a key. */
  keyId: number | undefined
  /** The creation is written to the audit, with this as its way; undefined: it is not. */
  via: string | undefined
}

export interface StoredLink extends MadeLink {
  fields: LinkFields
}

export interface MadeLink {
  slug: string
  /** RFC 3339 */
  createdAt: string
}

/**
 * Inserts links in one statement, and notifies the other processes of the new slugs in the same transaction (NOTIFY is
 * delivered at COMMIT). Links whose slug or reuse key exists are not in the result. The result is a single row: the
 * caller knows the rest, and all links have the transaction's time.
 *
 * Nothing is inserted before the database has an epoch (database-epoch.ts): its sequence may still hand out ids of links
 * that a failover has lost, and their visits would be counted for the new ones. The result is undefined then.
 *
 * Two such statements wait for each other if they share a slug or a reuse key. Links with a reuse key have a random slug,
 * so in this insertion order no deadlock is possible.
 */
export async function insertLinks(
  database: Pool | ClientBase,
  links: NewLink[],
): Promise<MadeLink[] | undefined> {
  const statement = links.every(isBrief) ? insertBrief(links) : insertComplete(links)
  const result = await database.query<{ slugs: string | null; created_at: Date; has_epoch: boolean }>(
    statement,
  )
  if (result.rows[0]?.has_epoch === false) return undefined
  return result.rows.flatMap(row => {
    const createdAt = row.created_at.toISOString()
    return (row.slugs?.split(' ') ?? []).map(slug => ({ slug, createdAt }))
  })
}

/** Most links have a target, some an expiry, and nothing else: their columns take no detour through JSON. */
function isBrief({ fields, creator }: NewLink): boolean {
  if (creator.keyId !== undefined || creator.via !== undefined) return false
  return isPlain(fields.expiresAt === null ? fields : { ...fields, expiresAt: null })
}

function insertBrief(links: NewLink[]): QueryConfig {
  return {
    name: 'insert-links',
    text: `WITH now AS MATERIALIZED (SELECT current_epoch() AS epoch), made AS (
             INSERT INTO links (slug, long_url, expires_at, reuse_key)
             SELECT slug, long_url, expires_at, reuse_key
             FROM now, unnest(string_to_array($1, ' '), string_to_array($2, ' '), $3::timestamptz[], $4::bytea[]) AS link (slug, long_url, expires_at, reuse_key)
             WHERE now.epoch IS NOT NULL
             ORDER BY reuse_key, slug
             ON CONFLICT DO NOTHING
             RETURNING slug
           ), ${tellSql}
           ${resultSql}`,
    values: [
      // Neither has blanks, as URIs have none. An array takes 1.3 µs a link, these texts 0.1.
      links.map(link => link.slug).join(' '),
      links.map(link => link.fields.longUrl).join(' '),
      // Most links have neither. Null instead of an array stands for an array of nulls.
      unlessAllAbsent(links.map(link => link.fields.expiresAt)),
      unlessAllAbsent(links.map(link => link.reuseKey)),
    ],
  }
}

function insertComplete(links: NewLink[]): QueryConfig {
  return {
    name: 'insert-complete-links',
    text: `WITH now AS MATERIALIZED (SELECT current_epoch() AS epoch), link AS MATERIALIZED (
             SELECT * FROM jsonb_to_recordset($1::jsonb) AS link (${fieldColumns}, slug text, reuse_key bytea, created_by bigint, via text, created jsonb)
           ), made AS (
             INSERT INTO links (slug, long_url, title, note, tags, tag_keys, valid_from, expires_at, expired_url, max_visits,
                                forward_query, disabled_at, reuse_key, created_by)
             SELECT slug, long_url, title, note, tags, tag_keys, valid_from, expires_at, expired_url, max_visits,
                    forward_query, CASE WHEN disabled THEN now() END, reuse_key, created_by
             FROM now, link
             WHERE now.epoch IS NOT NULL
             ORDER BY reuse_key, slug
             ON CONFLICT DO NOTHING
             RETURNING id, slug
           ), audited AS (
             INSERT INTO audit (key_id, via, action, link_id, subject, changes)
             SELECT created_by, via, 'link.created', id, slug, created FROM made JOIN link USING (slug) WHERE via IS NOT NULL
           ), ${tellSql}
           ${resultSql}`,
    values: [
      JSON.stringify(
        links.map(({ slug, fields, reuseKey, creator }) => ({
          ...fieldValues(fields),
          slug,
          reuse_key: reuseKey && `\\x${reuseKey.toString('hex')}`,
          created_by: creator.keyId,
          via: creator.via,
          created: creator.via && changesOfCreation(describeFields(fields)),
        })),
      ),
    ],
  }
}

const tellSql = `told AS (
             SELECT pg_notify('hopcount_links', string_agg(slug, ' '))
             FROM (SELECT slug, (row_number() OVER () - 1) / 100 AS message FROM made) AS numbered
             GROUP BY message
           )`

const resultSql = `SELECT string_agg(slug, ' ') AS slugs, now()::timestamptz(3) AS created_at, (SELECT count(*) FROM told),
                  (SELECT epoch IS NOT NULL FROM now) AS has_epoch
           FROM made`

function unlessAllAbsent<Value>(values: (Value | null | undefined)[]): (Value | null | undefined)[] | null {
  return values.every(value => value === undefined || value === null) ? null : values
}

interface StoredRow {
  slug: string
  long_url: string
  created_at: Date
}

/** For each URL the oldest link that redirects every visitor to exactly that URL. */
export async function findLinksTo(
  database: Pool | ClientBase,
  longUrls: string[],
): Promise<Map<string, StoredLink>> {
  const result = await database.query<StoredRow>({
    name: 'find-links-to',
    text: `SELECT DISTINCT ON (long_url) slug, long_url, created_at FROM links
           WHERE long_url = ANY($1::text[]) AND expires_at IS NULL AND valid_from IS NULL AND max_visits IS NULL
             AND NOT forward_query AND disabled_at IS NULL AND deleted_at IS NULL
           ORDER BY long_url, id`,
    values: [longUrls],
  })
  return new Map(
    result.rows.map(row => [
      row.long_url,
      { slug: row.slug, createdAt: row.created_at.toISOString(), fields: plainLink(row.long_url) },
    ]),
  )
}
