import type { PoolClient } from 'pg'
import { bigintArray, bytesArray, integerArray } from './binary-arrays.ts'
import type { DescribedVisit } from './describe-visits.ts'
import { allLinks } from './sum-visits.ts'

/** People who had not come before on their day, as this transaction counts them. */
export interface UniqueVisitors {
  ofDay(linkId: number, day: number): number
  ofLink(linkId: number): number
}

/**
 * Enters who has come, per link and day; answers how many of them are new. Of all links together: the sum of theirs,
 * since a row more per visitor would be the dearest part of recording (6 µs each).
 *
 * Rows go in sorted, in one statement, so that two transactions with the same visitors wait for each other in one order.
 * A day whose salt has been destroyed since the hash was made is left out: its hashes are gone, and everybody would be
 * new. The caller has locked the table before this statement's snapshot, so salt and partition are both there or both gone.
 */
export async function insertVisitors(client: PoolClient, visits: DescribedVisit[]): Promise<UniqueVisitors> {
  const perDay = new Map<number, Map<number, number>>()
  const perLink = new Map<number, number>()
  const seen = distinctVisitors(visits)
  if (seen.visitors.length > 0) {
    const { rows } = await client.query<{ link_id: number; day: number; visitors: number }>({
      name: 'insert-visitors',
      text: `WITH entered AS (
               INSERT INTO visitors (link_id, day, visitor)
               SELECT link_id, salt.day, visitor
               FROM unnest($1::bigint[], $2::integer[], $3::bigint[]) AS seen (link_id, day, visitor)
               JOIN visitor_salts AS salt ON salt.day = '1970-01-01'::date + seen.day
               ORDER BY link_id, salt.day, visitor
               ON CONFLICT DO NOTHING
               RETURNING link_id, day
             )
             SELECT link_id, day - '1970-01-01'::date AS day, count(*) AS visitors FROM entered GROUP BY link_id, day`,
      values: [bigintArray(seen.linkIds), integerArray(seen.days), bytesArray(seen.visitors)],
    })
    for (const row of rows) {
      const ofDay = perDay.get(row.day) ?? new Map<number, number>()
      perDay.set(row.day, ofDay)
      for (const linkId of [row.link_id, allLinks]) {
        ofDay.set(linkId, (ofDay.get(linkId) ?? 0) + row.visitors)
        perLink.set(linkId, (perLink.get(linkId) ?? 0) + row.visitors)
      }
    }
  }
  return {
    ofDay: (linkId, day) => perDay.get(day)?.get(linkId) ?? 0,
    ofLink: linkId => perLink.get(linkId) ?? 0,
  }
}

/** Each visitor of a link and day once; `visits` are sorted by link. */
function distinctVisitors(visits: DescribedVisit[]) {
  const linkIds: number[] = []
  const days: number[] = []
  const visitors: string[] = []
  const ofLink = new Set<string>()
  let lastLinkId: number | undefined
  for (const { visit, day, visitor } of visits) {
    if (visitor === undefined) continue
    const { linkId } = visit
    if (linkId !== lastLinkId) ofLink.clear()
    lastLinkId = linkId
    // A hash is of its day: the same one on two days is as unlikely as the same one of two people.
    if (ofLink.has(visitor)) continue
    ofLink.add(visitor)
    linkIds.push(linkId)
    days.push(day)
    visitors.push(visitor)
  }
  return { linkIds, days, visitors }
}
