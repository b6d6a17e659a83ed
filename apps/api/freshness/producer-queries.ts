/**
 * The statements behind a producer's reports. The order of locks is: rows of `producers`, then the row of `freshness`;
 * only a registration locks `freshness` first, and its own row is not there yet.
 */
import { incarnationSql } from '@hopcount/shared/database/database-epoch.ts'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool, PoolClient } from 'pg'

export interface Producer {
  producerId: string
  host: string
  spoolId: string | undefined
}

/** What a producer says about its own visits. Times are milliseconds since 1970. */
export interface Progress {
  recordedUntil: number
  /** How long ago that was, by the producer's clock, which may be wrong. */
  ageMs: number
  pending: number
  lastSeq: number
}

/** What the adopter of a dead producer's spool says about it. */
export interface AdoptedProgress {
  producerId: string
  /** An upper bound: a segment is counted as full until it is read. */
  pendingAtMost: number
}

export interface Report {
  own: Progress
  adopted: AdoptedProgress[]
  /** Producers that left nothing behind. */
  ended: string[]
}

export interface Reported {
  /** Adopted producers that have a row; the visits of others must be in the adopter's own. */
  known: Set<string>
  /** Other producers with this spool that are adopted, or have not reported for a while: they may have ended. */
  quiet: string[]
}

const now = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint'
const quietAfter = '3 seconds'

/**
 * Enters a new producer, before its first visit. `as_of` may have passed the moment at which the row was made by the time
 * it is committed, so `freshness` is locked first: nobody else moves `as_of` until the row can be seen. It is also
 * written, so that a transaction with an older snapshot fails instead of missing the row (REPEATABLE READ by default).
 */
export function registerProducer(pool: Pool, { producerId, host, spoolId }: Producer): Promise<void> {
  return inTransaction(pool, async client => {
    await client.query('UPDATE freshness SET as_of = as_of')
    await client.query(
      `INSERT INTO producers (producer_id, host, spool_id, recorded_until, pending, last_seq, reported_at)
         SELECT $1, $2, $3, greatest(clock_timestamp(), as_of), 0, 0, clock_timestamp() FROM freshness`,
      [producerId, host, spoolId],
    )
    await advance(client)
  })
}

/**
 * Writes a report. `describe` is called after the database's clock was read, and what it returns holds for every visit
 * before that moment. So a producer whose clock is fast claims nothing about visits that are still to come, nor, by the
 * age of its oldest visit that is not recorded, about those that have come. The argument is the database's incarnation
 * (database-epoch.ts): another one may have lost what was recorded.
 */
export function reportProgress(
  pool: Pool,
  { producerId, host, spoolId }: Producer,
  describe: (incarnation: string | undefined) => Promise<Report>,
): Promise<Reported> {
  return inTransaction(pool, async client => {
    const clock = await client.query<{ now: number; incarnation: string | null }>(
      `SELECT ${now} AS now, ${incarnationSql} AS incarnation`,
    )
    const clockNow = clock.rows[0]?.now ?? 0
    const { own, adopted, ended } = await describe(clock.rows[0]?.incarnation ?? undefined)
    await client.query({
      name: 'report-producer',
      text: `INSERT INTO producers (producer_id, host, spool_id, recorded_until, pending, last_seq, reported_at)
               VALUES ($1, $2, $3, to_timestamp($4::double precision / 1000), $5, $6, clock_timestamp())
               ON CONFLICT (producer_id) DO UPDATE
               SET recorded_until = excluded.recorded_until, pending = excluded.pending,
                   last_seq = excluded.last_seq, reported_at = excluded.reported_at`,
      values: [
        producerId,
        host,
        spoolId,
        Math.min(own.recordedUntil, clockNow - own.ageMs),
        own.pending,
        own.lastSeq,
      ],
    })
    const known = await reportAdopted(client, adopted)
    await removeProducers(client, ended)
    const quiet = await client.query<{ producer_id: string }>({
      name: 'quiet-producers',
      text: `SELECT producer_id FROM producers
               WHERE producer_id <> $2 AND (producer_id = ANY($3::uuid[])
                 OR (spool_id = $1 AND reported_at < clock_timestamp() - interval '${quietAfter}'))`,
      values: [spoolId, producerId, adopted.map(({ producerId }) => producerId)],
    })
    await advance(client)
    return { known, quiet: quiet.rows.map(row => row.producer_id) }
  })
}

/** The last word of a producer that has nothing pending. */
export function endProducer(pool: Pool, producerId: string): Promise<void> {
  return inTransaction(pool, async client => {
    await client.query('DELETE FROM producers WHERE producer_id = $1', [producerId])
    await advance(client)
  })
}

/**
 * Several siblings may report on the same producer: each statement is true whichever comes last. How far its visits are
 * counted stays as the producer has said, until all are: an adopter does not know how wrong its clock was.
 */
async function reportAdopted(client: PoolClient, adopted: AdoptedProgress[]): Promise<Set<string>> {
  const sorted = adopted.toSorted((a, b) => (a.producerId < b.producerId ? -1 : 1))
  const known = new Set<string>()
  for (const { producerId, pendingAtMost } of sorted) {
    const updated = await client.query({
      name: 'report-adopted-producer',
      text: `UPDATE producers SET pending = least(pending, $2), reported_at = clock_timestamp()
             WHERE producer_id = $1`,
      values: [producerId, pendingAtMost],
    })
    if (updated.rowCount === 1) known.add(producerId)
  }
  return known
}

/**
 * Removes rows of dead producers without segments. If some of their visits were pending, these may have gone to the queue
 * directly (their disk was full): such a row stays until the ledger has every batch of the producer.
 */
async function removeProducers(client: PoolClient, ended: string[]): Promise<void> {
  if (ended.length === 0) return
  await client.query({
    name: 'remove-producers',
    text: `DELETE FROM producers WHERE producer_id = ANY($1::uuid[])
           AND (pending = 0 OR last_seq <= (
             SELECT max(seq) FROM ledger_watermarks AS mark WHERE mark.producer_id = producers.producer_id))`,
    values: [ended],
  })
}

/**
 * Moves `as_of` on to what all producers have reported. The lock comes first, in a statement of its own: the minimum must
 * be taken from a snapshot that sees every producer that registered before.
 *
 * It moves in steps, because each one ends the sharing of responses (shared-responses.ts). One round trip, and the last of
 * its transaction: all processes wait for this lock.
 */
async function advance(client: PoolClient): Promise<void> {
  await client.query(
    `SELECT FROM freshness FOR UPDATE;
     UPDATE freshness SET as_of = reported.until
     FROM (SELECT min(recorded_until) AS until FROM producers) AS reported
     WHERE reported.until >= as_of + interval '400 milliseconds'`,
  )
}
