/** The visits of the links on a page of a list. */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { sql } from 'kysely'
import type { StoredCounts } from '../../stats/counts.ts'
import { isAmong } from '../../stats/top-links/ranked-page.ts'
import { windowRows } from '../../stats/top-links/window-rows.ts'
import type { Ranking } from './list-orders.ts'

export interface ListedCounts extends StoredCounts {
  uniques: number
  /** Visits in the preceding period; 0 unless sorted by growth. */
  before: number
}

/** By link id; links without visits have none. */
export async function readCounts(
  database: Database,
  ids: number[],
  { sort, window }: Ranking,
): Promise<Map<number, ListedCounts>> {
  const { rows } = await sql<ListedCounts & { linkId: number }>`${
    window === undefined
      ? sql`SELECT link_id AS "linkId", visits, bots, previews, uniques, 0 AS before FROM link_totals WHERE ${isAmong(ids)}`
      : sql`SELECT link_id AS "linkId", sum(visits)::bigint AS visits, sum(bots)::bigint AS bots,
                   sum(previews)::bigint AS previews, sum(uniques)::bigint AS uniques, sum(before)::bigint AS before
            FROM (${windowRows(window, sort, isAmong(ids))}) AS part GROUP BY link_id`
  }`.execute(database)
  return new Map(rows.map(row => [row.linkId, row]))
}
