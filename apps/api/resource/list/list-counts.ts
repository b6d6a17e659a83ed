/** The visits of the links on a page of a list. */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { sql } from 'kysely'
import type { StoredCounts } from '../../stats/counts.ts'
import { isAmong } from '../../stats/top-links/ranked-page.ts'

export interface ListedCounts extends StoredCounts {
  uniques: number
}

/** By link id; links without visits have none. */
export async function readCounts(database: Database, ids: number[]): Promise<Map<number, ListedCounts>> {
  const { rows } = await sql<ListedCounts & { linkId: number }>`
    SELECT link_id AS "linkId", visits, bots, previews, uniques FROM link_totals WHERE ${isAmong(ids)}`.execute(
    database,
  )
  return new Map(rows.map(row => [row.linkId, row]))
}
