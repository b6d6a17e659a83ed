/**
 * A page of a list that is ordered by creation, and where the pages before and after it begin. Both are found from the
 * links at its ends, so paging is exact in either direction while links are created and deleted.
 */
import type { Pool } from 'pg'
import type { Found, ListFilter, Order } from './list-queries.ts'
import { findLinks } from './list-queries.ts'

export interface Page {
  /** In the order of the list. */
  ids: number[]
  /** The value of `before` that leads to the page before; undefined: there is none. */
  prev: string | undefined
  /** The value of `after` that leads to the next page; undefined: there is none. */
  next: string | undefined
}

export interface PageQuery {
  filter: ListFilter
  order: Order
  limit: number
  /** At most one of them: the id of the last link before the page, or of the first one behind it. */
  after: number | undefined
  before: number | undefined
}

export function readPage(pool: Pool, query: PageQuery): Promise<Page> {
  return query.before === undefined ? readForwards(pool, query) : readBackwards(pool, query, query.before)
}

async function readForwards(pool: Pool, query: PageQuery): Promise<Page> {
  const { order, after } = query
  const { ids, next } = await findPage(pool, query, order, after)
  const prev = after === undefined ? undefined : (ids[0] ?? beside(after, order))
  return { ids, prev: text(prev), next: text(next) }
}

async function readBackwards(pool: Pool, query: PageQuery, before: number): Promise<Page> {
  const { order, limit } = query
  const { ids, next: prev } = await findPage(pool, query, opposite(order), before)
  // The beginning of the list is always a full page.
  if (ids.length < limit && prev === undefined)
    return readForwards(pool, { ...query, before: undefined, after: undefined })
  ids.reverse()
  return { ids, prev: text(prev), next: text(ids.at(-1) ?? beside(before, opposite(order))) }
}

/** Looks for one link more than the page has: a page that ends with the list has no next one. */
async function findPage(
  pool: Pool,
  { filter, limit }: PageQuery,
  sort: Order,
  after: number | undefined,
): Promise<Found> {
  const { ids, next } = await findLinks(pool, { ...filter, sort, limit: limit + 1, after })
  const page = ids.slice(0, limit)
  return { ids: page, next: ids.length > limit ? page.at(-1) : next }
}

/** The position from which the other direction begins with this link itself. */
function beside(id: number, order: Order): number {
  return order === 'newest' ? Math.max(0, id - 1) : id + 1
}

function opposite(order: Order): Order {
  return order === 'newest' ? 'oldest' : 'newest'
}

function text(id: number | undefined): string | undefined {
  return id === undefined ? undefined : String(id)
}
