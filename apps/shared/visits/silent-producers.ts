/**
 * Producers that have not reported for a while, although nobody has said that they ended: frozen, cut off, or gone with
 * their spool. Statistics can't be complete as long as one of them may hold visits (apps/api/freshness).
 */
import type { Pool } from 'pg'

export interface SilentProducer {
  producerId: string
  host: string
  /** Visits that were not counted at its last report, less those that arrived through the queue since, if all did. */
  pending: number
  reportedAt: Date
  recordedUntil: Date
}

/** Producers report every five seconds at least. */
const silentAfter = "interval '15 seconds'"
const maxSilent = 20

/** SQL: visits of a row of `producers` that are not counted. A silent one's may all have arrived through the queue. */
export const pendingVisits = `
  CASE WHEN reported_at < clock_timestamp() - ${silentAfter}
        AND last_seq <= (SELECT max(seq) FROM ledger_watermarks AS mark WHERE mark.producer_id = producers.producer_id)
       THEN 0 ELSE pending END`

const columns = `producer_id AS "producerId", host, ${pendingVisits} AS pending,
                 reported_at AS "reportedAt", recorded_until AS "recordedUntil"`

/** Those that have been silent longest first. */
export async function silentProducers(pool: Pool): Promise<SilentProducer[]> {
  const { rows } = await pool.query<SilentProducer>(
    `SELECT ${columns} FROM producers WHERE reported_at < clock_timestamp() - ${silentAfter}
     ORDER BY reported_at LIMIT ${maxSilent}`,
  )
  return rows
}

/** Statistics no longer wait for this producer. Undefined if it is not silent, or unknown. */
export async function writeOffProducer(pool: Pool, producerId: string): Promise<SilentProducer | undefined> {
  const { rows } = await pool.query<SilentProducer>(
    `DELETE FROM producers WHERE producer_id::text = $1 AND reported_at < clock_timestamp() - ${silentAfter}
     RETURNING ${columns}`,
    [producerId],
  )
  return rows[0]
}

export function describeSilent({
  producerId,
  host,
  pending,
  reportedAt,
  recordedUntil,
}: SilentProducer): string {
  const visits = pending === 1 ? '1 visit' : `${pending} visits`
  return `The API process ${producerId} on ${host} has been silent since ${reportedAt.toISOString()}, when ${visits} were not counted. Statistics are complete up to ${recordedUntil.toISOString()} until it is back, or its spool is, or until it is written off: npm run producers write-off ${producerId}`
}
