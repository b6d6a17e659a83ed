/**
 * Finds the links of a list. Two ways lead to them, and neither is fast for every search:
 *
 * - walking the links in the order of the list, which soon fills a page with what is common,
 * - the indexes of texts and tags, which soon find what is rare, but all of it; and that of texts lags behind.
 *
 * So a few thousand links are walked first. If the page is not full then, the walk goes on where that promises to fill it,
 * and otherwise an index is asked for all other matches, up to a bound. If there are more, or no index helps, the walk
 * goes on all the same, up to a bound, too. A page may end there and be short, or empty: the next one begins where this
 * one's walk has ended.
 */
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { databaseOn } from '@hopcount/shared/database/query-builder.ts'
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { LinkState } from '../../links/link-state.ts'
import { linkStateSql } from '../../links/link-state.ts'

export interface ListFilter {
  slug?: string | undefined
  /** A part of the slug, the target or the title. */
  search?: string | undefined
  /** Tags in the form in which they are compared. */
  tagKeys: string[]
  /** Undefined: all that are not deleted. */
  state: LinkState | undefined
}

export type Order = 'newest' | 'oldest'

export interface FindQuery extends ListFilter {
  sort: Order
  limit: number
  /** Only links behind this id, in the order of the list. */
  after: number | undefined
}

export interface Found {
  /** In the order of the list. */
  ids: number[]
  /** The id behind which there may be more; undefined: there are none. */
  next: number | undefined
}

const firstWalk = 5_000
const longWalk = 10_000
/** Of an index, before other conditions are looked at. */
const maxMatches = 3_000

export async function findLinks(pool: Pool, filter: FindQuery): Promise<Found> {
  const database = databaseOn(pool)
  const first = await walk(database, filter, filter.after, filter.limit, firstWalk)
  const wanted = filter.limit - first.ids.length
  if (first.next === undefined || wanted === 0) return first
  const isCommon = first.ids.length * (longWalk / firstWalk) > wanted
  const rest =
    (isCommon ? undefined : await readIndexes(pool, database, filter, first.next, wanted)) ??
    (await walk(database, filter, first.next, wanted, longWalk))
  return { ids: [...first.ids, ...rest.ids], next: rest.next }
}

/** Those of the links that match. */
export async function matchesAmong(database: Database, filter: ListFilter, ids: number[]): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    SELECT id FROM links WHERE id = ANY(${ids}::bigint[]) AND ${scopeOf(filter)} AND ${matchOf(filter)}`.execute(
    database,
  )
  return rows.map(({ id }) => id)
}

/** Looks at the next `steps` links, until `limit` match. */
async function walk(
  database: Database,
  filter: FindQuery,
  after: number | undefined,
  limit: number,
  steps: number,
): Promise<Found> {
  const walked = sql`SELECT * FROM links WHERE ${isAfter(filter, after)} AND ${scopeOf(filter)} ORDER BY ${order(filter)} LIMIT ${steps}`
  const { rows } = await sql<{ id: number }>`
    SELECT links.id FROM (${walked}) AS links WHERE ${matchOf(filter)} ORDER BY ${order(filter)} LIMIT ${limit}`.execute(
    database,
  )
  const ids = rows.map(({ id }) => id)
  const last = ids.at(-1)
  if (ids.length === limit && last !== undefined) return { ids, next: last }
  const end = await sql<{ id: number }>`
    SELECT id FROM links WHERE ${isAfter(filter, after)} AND ${scopeOf(filter)} ORDER BY ${order(filter)} OFFSET ${steps - 1} LIMIT 1`.execute(
    database,
  )
  return { ids, next: end.rows[0]?.id }
}

/** Undefined if no index helps, or there are too many matches. */
async function readIndexes(
  pool: Pool,
  database: Database,
  filter: FindQuery,
  after: number,
  limit: number,
): Promise<Found | undefined> {
  const { search, tagKeys, sort } = filter
  if (search !== undefined && isIndexed(search)) {
    const { rows } = await sql<{ end: number }>`SELECT link_id AS end FROM link_search_progress`.execute(
      database,
    )
    const end = rows[0]?.end ?? 0
    const matches = sql`SELECT link_id AS id FROM link_search WHERE text ILIKE ${patternOf(search)} OR text ILIKE ${patternOf(asStored(search))}`
    if (after <= end + 1) {
      const page = await readIndex(pool, database, filter, matches, { after, upTo: end, limit })
      if (page === undefined || page.next !== undefined || sort === 'newest') {
        if (page !== undefined) return page
      } else {
        const newer = await walk(database, filter, end, limit - page.ids.length, firstWalk)
        return { ids: [...page.ids, ...newer.ids], next: newer.next }
      }
    }
  }
  if (tagKeys.length === 0) return undefined
  const matches = sql`SELECT id FROM links WHERE ${tagMatch(tagKeys)}`
  return readIndex(pool, database, filter, matches, { after, upTo: Number.MAX_SAFE_INTEGER, limit })
}

/** @param matches a query for the ids that an index finds; it may find too many */
async function readIndex(
  pool: Pool,
  database: Database,
  filter: FindQuery,
  matches: RawBuilder<unknown>,
  part: { after: number; upTo: number; limit: number },
): Promise<Found | undefined> {
  const { after, upTo, limit } = part
  // OFFSET 0 keeps the planner from walking the ids in order.
  const found = sql<{ id: number }>`
    SELECT id FROM (${matches} OFFSET 0) AS found WHERE ${isAfter(filter, after)} AND id <= ${upTo} LIMIT ${maxMatches + 1}`.compile(
    database,
  )
  const ids = await inTransaction(
    pool,
    async client => {
      const { rows } = await client.query<{ id: number }>(found.sql, [...found.parameters])
      return rows.map(({ id }) => id)
    },
    // The planner may expect to find more than there is, and soon, by reading the whole table.
    { first: 'SET LOCAL enable_seqscan = off;' },
  )
  if (ids.length > maxMatches) return undefined
  if (ids.length === 0) return { ids, next: undefined }
  const { rows } = await sql<{ id: number }>`
    SELECT id FROM links WHERE id = ANY(${ids}::bigint[]) AND ${scopeOf(filter)} AND ${matchOf(filter)}
    ORDER BY ${order(filter)} LIMIT ${limit + 1}`.execute(database)
  const page = rows.slice(0, limit).map(({ id }) => id)
  return { ids: page, next: rows.length > limit ? page.at(-1) : undefined }
}

/** pg_trgm's index knows texts by three characters in a row that are letters or digits. */
function isIndexed(search: string): boolean {
  return /[\p{L}\p{N}]{3}/u.test(search)
}

/** The links that the list is about, and for which there is an index in its order. */
function scopeOf({ state, slug }: ListFilter): RawBuilder<unknown> {
  if (slug !== undefined) return sql`slug = ${slug}`
  switch (state) {
    case 'deleted':
    case 'disabled':
      return sql`(disabled_at IS NOT NULL OR deleted_at IS NOT NULL)`
    case 'scheduled':
    case 'expired':
    case 'exhausted':
      return sql`(valid_from IS NOT NULL OR expires_at IS NOT NULL OR max_visits IS NOT NULL)`
    default:
      return sql`true`
  }
}

function matchOf(filter: ListFilter): RawBuilder<unknown> {
  const state =
    filter.state === undefined
      ? sql`links.deleted_at IS NULL`
      : sql`(${sql.raw(linkStateSql)}) = ${filter.state}`
  return sql`${state} AND ${textMatch(filter)}`
}

function textMatch({ search, tagKeys }: ListFilter): RawBuilder<unknown> {
  const conditions = [sql`true`]
  if (tagKeys.length > 0)
    conditions.push(sql`links.tag_keys <> '{}' AND links.tag_keys @> ${tagKeys}::text[]`)
  if (search !== undefined) {
    const pattern = patternOf(search)
    conditions.push(
      sql`(links.slug ILIKE ${pattern} OR links.long_url ILIKE ${patternOf(asStored(search))} OR links.title ILIKE ${pattern})`,
    )
  }
  return sql.join(conditions, sql` AND `)
}

function tagMatch(tagKeys: string[]): RawBuilder<unknown> {
  return sql`links.tag_keys <> '{}' AND links.tag_keys @> ${tagKeys}::text[]`
}

function patternOf(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`
}

/** Targets are stored percent-encoded, and as the URL parser serializes them. */
function asStored(search: string): string {
  const url = /^https?:\/\/[^/]+\/./i.test(search) ? URL.parse(search) : null
  return url?.href ?? encodeURI(search).replaceAll(/%25(?=[0-9a-f]{2})/gi, '%')
}

function isAfter({ sort }: FindQuery, after: number | undefined): RawBuilder<unknown> {
  if (after === undefined) return sql`true`
  return sort === 'newest' ? sql`id < ${after}` : sql`id > ${after}`
}

function order({ sort }: FindQuery): RawBuilder<unknown> {
  return sort === 'newest' ? sql`id DESC` : sql`id`
}
