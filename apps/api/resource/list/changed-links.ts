/**
 * Links that were changed after their block was written. A search looks at them one by one, and ignores their old lines.
 * Of more than 5,000 the next ones in the order of the list are looked at, which takes some 30 ms; the others are found by
 * their old texts until workers have written their blocks again.
 */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { linksPerBlock } from '@hopcount/shared/link-search.ts'
import { sql } from 'kysely'
import type { FindQuery, Found } from './list-conditions.ts'
import { inOrder, isAfter } from './list-conditions.ts'
import { matchesAmong } from './walk-links.ts'

const maxChanged = 5_000

export interface ChangedLinks {
  all: Set<number>
  matching: number[]
}

/**
 * Call it before blocks are read. What changes afterwards may be found as it was; and a link whose block is written
 * meanwhile is one of the changed ones, so it is neither missed nor found twice.
 */
export async function readChanged(
  database: Database,
  query: FindQuery,
): Promise<{ endBlock: number; changed: ChangedLinks }> {
  const { sort, after } = query
  // In one snapshot: a link that is in no block yet is one of the newest, even if it was changed.
  const { rows } = await sql<{ endBlock: number; ids: string[] }>`
    SELECT block AS "endBlock", ARRAY(
             SELECT id FROM (SELECT link_id AS id FROM link_search_changed) AS links
             WHERE id < block * ${linksPerBlock}::bigint AND ${isAfter(sort, after)}
             ORDER BY ${inOrder(sort)} LIMIT ${maxChanged}
           ) AS ids
    FROM link_search_state`.execute(database)
  const endBlock = rows[0]?.endBlock ?? 0
  const ids = rows[0]?.ids.map(Number) ?? []
  const matching = ids.length === 0 ? [] : await matchesAmong(database, query, ids)
  return { endBlock, changed: { all: new Set(ids), matching } }
}

/** Adds those that belong on the page, which may then end earlier. */
export function addChanged(
  found: Found,
  { matching }: ChangedLinks,
  { sort, after, limit }: FindQuery,
): Found {
  const isBefore = (a: number, b: number) => (sort === 'newest' ? a > b : a < b)
  const added = matching.filter(
    id =>
      (after === undefined || isBefore(after, id)) && (found.next === undefined || !isBefore(found.next, id)),
  )
  if (added.length === 0) return found
  const ids = [...found.ids, ...added].sort((a, b) => (isBefore(a, b) ? -1 : 1))
  return ids.length < limit ? { ids, next: found.next } : { ids: ids.slice(0, limit), next: ids[limit - 1] }
}
