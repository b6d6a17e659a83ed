/** The conditions of a list in SQL. */
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
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
  /** So many are enough where `limit` is only to be reached if that is cheap. */
  enough?: number
}

export interface Found {
  /** In the order of the list. */
  ids: number[]
  /** The id behind which there may be more; undefined: there are none. */
  next: number | undefined
}

/** Whether the list is about some links only, and an index has those. */
export function isScoped({ state, slug }: ListFilter): boolean {
  return slug !== undefined || (state !== undefined && state !== 'active')
}

export function scopeOf({ state, slug }: ListFilter): RawBuilder<unknown> {
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

/** Cheapest first. */
export function matchOf(filter: ListFilter): RawBuilder<unknown> {
  const { search, tagKeys } = filter
  const conditions = [stateMatch(filter)]
  if (tagKeys.length > 0) conditions.push(tagMatch(tagKeys))
  if (search !== undefined) conditions.push(textMatch(search))
  return sql.join(conditions, sql` AND `)
}

function stateMatch({ state }: ListFilter): RawBuilder<unknown> {
  return state === undefined ? sql`links.deleted_at IS NULL` : sql`(${sql.raw(linkStateSql)}) = ${state}`
}

export function tagMatch(tagKeys: string[]): RawBuilder<unknown> {
  return sql`links.tag_keys <> '{}' AND links.tag_keys @> ${tagKeys}::text[]`
}

/** Six microseconds a link: only for those that are few, or not in link_search_blocks yet. */
function textMatch(search: string): RawBuilder<unknown> {
  const pattern = patternOf(search)
  return sql`(links.slug ILIKE ${pattern} OR links.title ILIKE ${pattern} OR links.long_url ILIKE ${pattern} OR links.long_url ILIKE ${patternOf(asStored(search))})`
}

function patternOf(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`
}

/** Targets are stored percent-encoded, and as the URL parser serializes them. */
export function asStored(search: string): string {
  const url = /^https?:\/\/[^/]+\/./i.test(search) ? URL.parse(search) : null
  return url?.href ?? encodeURI(search).replaceAll(/%25(?=[0-9a-f]{2})/gi, '%')
}

export function isAfter(sort: Order, after: number | undefined): RawBuilder<unknown> {
  if (after === undefined) return sql`true`
  return sort === 'newest' ? sql`links.id < ${after}` : sql`links.id > ${after}`
}

export function inOrder(sort: Order): RawBuilder<unknown> {
  return sort === 'newest' ? sql`links.id DESC` : sql`links.id`
}
