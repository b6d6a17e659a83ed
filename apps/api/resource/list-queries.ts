/**
 * Finds the links of a list. Two ways lead to them, and neither is fast for every search:
 *
 * - walking the links in the order of the list, which soon fills a page with what is common,
 * - the indexes of substrings and tags, which soon find what is rare, but all of it.
 *
 * So a few thousand links are walked first. If the page is not full then, the index is asked for all other matches, up to
 * a bound; and if there are more, or no index helps, the walk goes on, up to a bound, too. A page may end there and be
 * short, or empty: the next one begins where this one's walk has ended.
 */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import type { LinkState } from '../links/link-state.ts'
import { linkStateSql } from '../links/link-state.ts'

export interface ListFilter {
  slug?: string | undefined
  /** A part of the slug, the target or the title. */
  search?: string | undefined
  /** Tags in the form in which they are compared. */
  tagKeys: string[]
  /** Undefined: all that are not deleted. */
  state: LinkState | undefined
  sort: 'newest' | 'oldest'
  limit: number
  /** The id after which the page begins. */
  after: number | undefined
}

export interface Page {
  /** In the order of the list. */
  ids: number[]
  /** The id after which the next page begins; undefined: there is none. */
  next: number | undefined
}

const firstWalk = 5_000
const longWalk = 20_000
const maxMatches = 5_000

export async function findPage(database: Database, filter: ListFilter): Promise<Page> {
  const first = await walk(database, filter, filter.after, filter.limit, firstWalk)
  const { limit } = filter
  if (first.next === undefined || first.ids.length === limit) return first
  const wanted = limit - first.ids.length
  const rest =
    (await readIndex(database, filter, first.next, wanted)) ??
    (await walk(database, filter, first.next, wanted, longWalk))
  return { ids: [...first.ids, ...rest.ids], next: rest.next }
}

/** Looks at the next `steps` links, until `limit` match. */
async function walk(
  database: Database,
  filter: ListFilter,
  after: number | undefined,
  limit: number,
  steps: number,
): Promise<Page> {
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
async function readIndex(
  database: Database,
  filter: ListFilter,
  after: number,
  limit: number,
): Promise<Page | undefined> {
  if (!isIndexed(filter)) return undefined
  // OFFSET 0 keeps the planner from walking the links in order.
  const { rows } = await sql<{ id: number }>`
    SELECT id FROM (SELECT * FROM links WHERE ${textMatch(filter)} OFFSET 0) AS links
    WHERE ${isAfter(filter, after)} AND ${scopeOf(filter)} AND ${matchOf(filter)}
    LIMIT ${maxMatches + 1}`.execute(database)
  if (rows.length > maxMatches) return undefined
  const direction = filter.sort === 'newest' ? -1 : 1
  const ids = rows.map(({ id }) => id).sort((a, b) => direction * (a - b))
  const page = ids.slice(0, limit)
  return { ids: page, next: ids.length > limit ? page.at(-1) : undefined }
}

/** pg_trgm's index knows texts by three characters in a row that are letters or digits. */
function isIndexed({ search, tagKeys }: ListFilter): boolean {
  return tagKeys.length > 0 || (search !== undefined && /[\p{L}\p{N}]{3}/u.test(search))
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

function patternOf(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`
}

/** Targets are stored percent-encoded, and as the URL parser serializes them. */
function asStored(search: string): string {
  const url = /^https?:\/\/[^/]+\/./i.test(search) ? URL.parse(search) : null
  return url?.href ?? encodeURI(search).replaceAll(/%25(?=[0-9a-f]{2})/gi, '%')
}

function isAfter({ sort }: ListFilter, after: number | undefined): RawBuilder<unknown> {
  if (after === undefined) return sql`true`
  return sort === 'newest' ? sql`id < ${after}` : sql`id > ${after}`
}

function order({ sort }: ListFilter): RawBuilder<unknown> {
  return sort === 'newest' ? sql`id DESC` : sql`id`
}
