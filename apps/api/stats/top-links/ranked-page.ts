/** The options of a page of the top list, and how a page is cut from ranked links. */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import type { TopWindow } from './top-window.ts'

export type TopSort = 'visits' | 'humans' | 'uniques' | 'last_visit' | 'growth'

export interface TopQuery {
  limit: number
  sort: TopSort
  /** Undefined: all time. */
  window: TopWindow | undefined
  /** Restricts the list to these links, given as a query for their ids; undefined: every link that has visits. */
  matching: RawBuilder<unknown> | undefined
  after: TopPosition | undefined
  /** The order is the other way round. */
  isBackwards?: boolean
}

/** The link after which the next page begins. Links are ordered by value, highest first; ties by id, lowest first. */
export interface TopPosition {
  value: number
  linkId: number
}

/** The value of a link without visits is 0; a last visit is in milliseconds since 1970. */
export type RankedLink = TopPosition

/** @param values a query for `link_id` and `value` */
export async function rankedPage(
  database: Database,
  values: RawBuilder<unknown>,
  { limit, after, isBackwards = false }: Pick<TopQuery, 'limit' | 'after' | 'isBackwards'>,
): Promise<RankedLink[]> {
  const order = isBackwards ? sql`value, link_id DESC` : sql`value DESC, link_id`
  const { rows } = await sql<RankedLink>`
    SELECT link_id AS "linkId", value FROM (${values}) AS ranked
    WHERE ${isBehind(after, isBackwards)} ORDER BY ${order} LIMIT ${limit}`.execute(database)
  return rows
}

function isBehind(position: TopPosition | undefined, isBackwards: boolean): RawBuilder<unknown> {
  if (position === undefined) return sql`true`
  const { value, linkId } = position
  return isBackwards
    ? sql`(value > ${value}::bigint OR (value = ${value}::bigint AND link_id < ${linkId}::bigint))`
    : sql`(value < ${value}::bigint OR (value = ${value}::bigint AND link_id > ${linkId}::bigint))`
}

/** The value of a row of `link_totals AS total`. */
export function totalValue(sort: TopSort): RawBuilder<unknown> {
  if (sort === 'last_visit') return sql`(extract(epoch FROM total.last_visit) * 1000)::bigint`
  if (sort === 'humans') return sql`(total.visits - total.bots - total.previews)`
  return sort === 'uniques' ? sql`total.uniques` : sql`total.visits`
}

/** What a row of `link_totals` or `link_days` promises of its link's value. */
export function rowValue(sort: TopSort): RawBuilder<unknown> {
  if (sort === 'humans') return sql`visits - bots - previews`
  return sort === 'uniques' ? sql`uniques` : sql`visits`
}

export function isAmong(ids: number[]): RawBuilder<unknown> {
  return sql`link_id = ANY(${ids}::bigint[])`
}
