/**
 * Counts requests for expired links per link and UTC day: no visits, since nobody was redirected, but their owners want
 * to know that a link is still in use. Those of humans and bots alike. Written in batches (write-counts.ts).
 */
import { bigintArray } from '@hopcount/shared/database/binary-arrays.ts'
import type { Log } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import { writeCounts } from '../write-counts.ts'

export interface GoneCounter {
  /** A request for this link got a 410. */
  count(linkId: number): void
  /** Writes the remaining counts. */
  close(): Promise<void>
}

/** Links in a batch; while the database is down, requests for more of them are not counted. */
const maxLinks = 10_000

export function createGoneCounter({ pool, log }: { pool: Pool; log: Log }): GoneCounter {
  let requests = new Map<number, number>()
  const close = writeCounts({
    name: 'counting requests for expired links',
    take() {
      if (requests.size === 0) return undefined
      const taken = requests
      requests = new Map()
      return taken
    },
    write: (day, counts) => addGoneRequests(pool, day, counts),
    log,
  })

  function count(linkId: number): void {
    const known = requests.get(linkId)
    if (known !== undefined || requests.size < maxLinks) requests.set(linkId, (known ?? 0) + 1)
  }

  return { count, close }
}

/** Sorted by link, so that processes wait for each other in one order. */
async function addGoneRequests(pool: Pool, day: string, counts: Map<number, number>): Promise<void> {
  await pool.query({
    name: 'add-gone-requests',
    text: `INSERT INTO gone_requests AS gone (link_id, day, requests)
           SELECT link_id, $1::date, requests FROM unnest($2::bigint[], $3::bigint[]) AS sum (link_id, requests)
           ORDER BY link_id
           ON CONFLICT (link_id, day) DO UPDATE SET requests = gone.requests + excluded.requests`,
    values: [day, bigintArray([...counts.keys()]), bigintArray([...counts.values()])],
  })
}
