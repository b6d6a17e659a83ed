/** Rows of breakdown_tails: values of a link's day that its row in link_breakdowns does not list. */
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import { bigintArray, textArray } from '@hopcount/shared/database/binary-arrays.ts'
import type { PoolClient } from 'pg'

/** Keys are unique within a link's day. */
export interface TailKeys {
  linkIds: number[]
  days: string[]
  keys: string[]
}

export interface TailRow {
  link_id: number
  day: string
  key: string
  visits: number
  humans: number
}

/** Removes and returns those of the values that have a row. */
export async function takeFromTails(
  client: PoolClient,
  { linkIds, days, keys }: TailKeys,
): Promise<TailRow[]> {
  if (keys.length === 0) return []
  const { rows } = await client.query<TailRow>({
    name: 'take-from-breakdown-tails',
    text: `DELETE FROM breakdown_tails AS tail
           USING unnest($1::bigint[], $2::date[], $3::text[]) AS wanted (link_id, day, key)
           WHERE tail.link_id = wanted.link_id AND tail.day = wanted.day AND tail.key = wanted.key
           RETURNING tail.link_id, tail.day, tail.key, tail.visits, tail.humans`,
    values: [bigintArray(linkIds), days, textArray(keys)],
  })
  return rows
}

/** Adds rows for values that have none. */
export async function insertTails(
  client: PoolClient,
  tails: { linkId: number; day: string; values: Breakdowns }[],
): Promise<void> {
  const rows = tails.flatMap(({ linkId, day, values }) =>
    [...values].map(([key, { visits, humans }]) => ({ linkId, day, key, visits, humans })),
  )
  if (rows.length === 0) return
  await client.query({
    name: 'insert-breakdown-tails',
    text: `INSERT INTO breakdown_tails (link_id, day, key, visits, humans)
           SELECT link_id, day, key, visits, humans
           FROM unnest($1::bigint[], $2::date[], $3::text[], $4::bigint[], $5::bigint[])
             AS tail (link_id, day, key, visits, humans)`,
    values: [
      bigintArray(rows.map(row => row.linkId)),
      rows.map(row => row.day),
      textArray(rows.map(row => row.key)),
      bigintArray(rows.map(row => row.visits)),
      bigintArray(rows.map(row => row.humans)),
    ],
  })
}
