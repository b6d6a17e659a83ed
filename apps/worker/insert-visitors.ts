import type { PoolClient } from 'pg'
import { numberArray } from './array-literals.ts'
import type { DescribedVisit } from './describe-visits.ts'
import { allLinks } from './sum-visits.ts'

/** People who had not come before on their day, as this transaction counts them. */
export interface UniqueVisitors {
  ofDay(linkId: number, day: number): number
  ofLink(linkId: number): number
}

/**
 * Enters who has come, per link and day and for all links together; answers how many of them are new.
 *
 * Rows go in sorted, in one statement, so that two transactions with the same visitors wait for each other in one order.
 * A day whose salt has been destroyed since the hash was made is left out: its hashes are gone, and everybody would be
 * new. The caller has locked the table before this statement's snapshot, so salt and partition are both there or both gone.
 */
export async function insertVisitors(client: PoolClient, visits: DescribedVisit[]): Promise<UniqueVisitors> {
  const perDay = new Map<string, number>()
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
      values: [numberArray(seen.linkIds), numberArray(seen.days), `{${seen.visitors.join(',')}}`],
    })
    for (const { link_id: linkId, day, visitors } of rows) {
      perDay.set(`${linkId} ${day}`, visitors)
      perLink.set(linkId, (perLink.get(linkId) ?? 0) + visitors)
    }
  }
  return {
    ofDay: (linkId, day) => perDay.get(`${linkId} ${day}`) ?? 0,
    ofLink: linkId => perLink.get(linkId) ?? 0,
  }
}

/** Each visitor of a link and day once, and once among all links. */
function distinctVisitors(visits: DescribedVisit[]) {
  const linkIds: number[] = []
  const days: number[] = []
  const visitors: string[] = []
  const known = new Map<string, Set<number>>()
  const enter = (linkId: number, day: number, visitor: string) => {
    linkIds.push(linkId)
    days.push(day)
    visitors.push(visitor)
  }
  for (const { linkId, day, visitor } of visits) {
    if (visitor === undefined) continue
    // A visitor's hash is of its day: the same hash on two days is as unlikely as the same hash of two people.
    const links = known.get(visitor)
    if (links === undefined) {
      known.set(visitor, new Set([linkId]))
      enter(allLinks, day, visitor)
      enter(linkId, day, visitor)
    } else if (!links.has(linkId)) {
      links.add(linkId)
      enter(linkId, day, visitor)
    }
  }
  return { linkIds, days, visitors }
}
