/** Looks at links one by one. */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { sql } from 'kysely'
import type { FindQuery, Found, ListFilter } from './list-conditions.ts'
import { inOrder, isAfter, matchOf, scopeOf } from './list-conditions.ts'

/**
 * Looks at the next `steps` links, until enough of them match.
 *
 * @param from only at links from this id on
 */
export async function walkLinks(
  database: Database,
  query: FindQuery,
  steps: number,
  from = 0,
): Promise<Found> {
  const { sort, after, limit } = query
  const walked = sql`FROM links WHERE ${isAfter(sort, after)} AND id >= ${from} AND ${scopeOf(query)} ORDER BY ${inOrder(sort)}`
  const { rows } = await sql<{ id: number }>`
    SELECT links.id FROM (SELECT * ${walked} LIMIT ${steps}) AS links
    WHERE ${matchOf(query)} ORDER BY ${inOrder(sort)} LIMIT ${limit}`.execute(database)
  const ids = rows.map(({ id }) => id)
  const last = ids.at(-1)
  if (ids.length === limit && last !== undefined) return { ids, next: last }
  const end = await sql<{ id: number }>`SELECT id ${walked} OFFSET ${steps - 1} LIMIT 1`.execute(database)
  return { ids, next: end.rows[0]?.id }
}

/** Those of the links that match. */
export async function matchesAmong(database: Database, filter: ListFilter, ids: number[]): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    SELECT id FROM links WHERE id = ANY(${ids}::bigint[]) AND ${scopeOf(filter)} AND ${matchOf(filter)}`.execute(
    database,
  )
  return rows.map(({ id }) => id)
}
