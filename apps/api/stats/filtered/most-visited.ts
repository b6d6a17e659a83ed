import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { sql } from 'kysely'
import type { LinkState } from '../../links/link-state.ts'
import { linkStateSql } from '../../links/link-state.ts'
import type { VisitsPerLink } from '../raw/count-filtered.ts'

/** The links with the most visits, described; ties by all visits, then by age. */
export async function mostVisited(
  database: Database,
  links: VisitsPerLink,
  sort: 'visits' | 'humans',
  limit: number,
) {
  const top = [...links]
    .sort(([a, ofA], [b, ofB]) => ofB[sort] - ofA[sort] || ofB.visits - ofA.visits || a - b)
    .slice(0, limit)
  const { rows } = await sql<{ id: number; slug: string; long_url: string; state: LinkState }>`
    SELECT id, slug, long_url, ${sql.raw(linkStateSql)} AS state FROM links WHERE id = ANY(${top.map(([id]) => id)}::bigint[])`.execute(
    database,
  )
  const described = new Map(rows.map(({ id, ...link }) => [id, link]))
  return top.flatMap(([id, counts]) => {
    const link = described.get(id)
    return link === undefined ? [] : [{ ...link, ...counts }]
  })
}
