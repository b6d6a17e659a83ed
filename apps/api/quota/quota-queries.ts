import { bigintArray, textArray } from '@hopcount/shared/database/binary-arrays.ts'
import { beginEpoch } from '@hopcount/shared/database/database-epoch.ts'
import type { Pool, PoolClient } from 'pg'

export interface Reservation {
  /** How many visits this process may let pass. */
  places: number
  /** All that the link allows is counted, so no other process has places that it could return. */
  isCountedUp: boolean
  /** Of the database in which the places are reserved. */
  epoch: string
}

interface ReservationRow {
  link_id: number
  places: number
  is_counted_up: boolean
  epoch: string | null
}

/**
 * By link. Rejects if nothing was reserved, or nobody knows: what may have been reserved is lost then. Nothing is reserved
 * before the database has an epoch.
 */
export async function reserveVisits(
  pool: Pool,
  wanted: { linkId: number; waiting: number }[],
): Promise<Map<number, Reservation>> {
  const { rows } = await pool.query<ReservationRow>({
    name: 'reserve-visits',
    text: `WITH now AS MATERIALIZED (SELECT current_epoch() AS epoch), wanted AS (
             SELECT array_agg(link_id) AS link_ids, array_agg(waiting) AS waiting
             FROM now, unnest($1::bigint[], $2::bigint[]) AS wanted (link_id, waiting)
             WHERE now.epoch IS NOT NULL
           )
           SELECT reserved.*, now.epoch
           FROM now, wanted LEFT JOIN LATERAL reserve_visits(wanted.link_ids, wanted.waiting) AS reserved ON true`,
    values: [
      bigintArray(wanted.map(({ linkId }) => linkId)),
      bigintArray(wanted.map(({ waiting }) => waiting)),
    ],
  })
  if (rows[0]?.epoch === null) {
    await beginEpoch(pool)
    return reserveVisits(pool, wanted)
  }
  return new Map(
    rows.map(row => [
      row.link_id,
      { places: row.places, isCountedUp: row.is_counted_up, epoch: row.epoch ?? '' },
    ]),
  )
}

/** Those of the links that would be redirected once more. */
export async function linksWithVisitsLeft(pool: Pool, linkIds: number[]): Promise<Set<number>> {
  const { rows } = await pool.query<{ id: number }>({
    name: 'links-with-visits-left',
    text: `SELECT link.id FROM links AS link
           LEFT JOIN link_quotas AS quota ON quota.link_id = link.id
           LEFT JOIN link_totals AS total ON total.link_id = link.id
           WHERE link.id = ANY($1::bigint[])
             AND (link.max_visits IS NULL OR link.max_visits > greatest(quota.granted, total.visits, 0))`,
    values: [bigintArray(linkIds)],
  })
  return new Set(rows.map(row => row.id))
}

export interface UnusedPlaces {
  linkId: number
  places: number
  epoch: string
}

/**
 * Nothing is returned to a database of another epoch: it may have lost the reservation. Links are locked in the order of
 * their ids, as in reserve_visits.
 */
export async function returnPlaces(client: PoolClient, unused: UnusedPlaces[]): Promise<void> {
  await client.query({
    name: 'return-places',
    text: `WITH returned AS (
             SELECT link_id, sum(places) AS places
             FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS unused (link_id, places, epoch)
             WHERE epoch = (SELECT current_epoch())::text
             GROUP BY link_id
           ), locked AS MATERIALIZED (
             SELECT link_id FROM link_quotas JOIN returned USING (link_id) ORDER BY link_id FOR UPDATE OF link_quotas
           )
           UPDATE link_quotas AS quota SET granted = quota.granted - returned.places
           FROM locked JOIN returned USING (link_id) WHERE quota.link_id = locked.link_id`,
    values: [
      bigintArray(unused.map(({ linkId }) => linkId)),
      bigintArray(unused.map(({ places }) => places)),
      textArray(unused.map(({ epoch }) => epoch)),
    ],
  })
}
