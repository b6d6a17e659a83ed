import { allLinks } from '@hopcount/shared/all-links.ts'
import { bigintArray } from '@hopcount/shared/database/binary-arrays.ts'
import type { PoolClient } from 'pg'
import type { VisitColumns } from './visit-columns.ts'

/**
 * Adds the number of visits counted at a different time than their own to their links' totals and to those of all links,
 * which the transaction has locked by then.
 */
export async function addMisdated(
  client: PoolClient,
  { linkIds, misdated }: VisitColumns,
  batches: { begin: number; end: number }[],
): Promise<number> {
  const perLink = new Map<number, number>()
  for (const place of misdated) {
    if (!batches.some(({ begin, end }) => place >= begin && place < end)) continue
    for (const linkId of [linkIds[place] ?? 0, allLinks]) perLink.set(linkId, (perLink.get(linkId) ?? 0) + 1)
  }
  if (perLink.size === 0) return 0
  await client.query({
    name: 'add-misdated',
    text: `UPDATE link_totals AS total SET misdated = total.misdated + sum.visits
           FROM unnest($1::bigint[], $2::bigint[]) AS sum (link_id, visits) WHERE total.link_id = sum.link_id`,
    values: [bigintArray([...perLink.keys()]), bigintArray([...perLink.values()])],
  })
  return perLink.get(allLinks) ?? 0
}
