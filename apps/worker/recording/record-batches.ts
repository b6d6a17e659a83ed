/**
 * Records batches of visits, each exactly once, several in one transaction.
 *
 * Every worker's transaction uses the same order, with the rows of a table sorted by key, so that two workers may wait for
 * each other but never deadlock:
 *   1. ledger rows: a batch that is already there is left out of all that follows;
 *   2. watermarks, read after the rows were written: compaction replaces rows by a watermark, and a transaction that
 *      wrote its row after that must see the watermark (READ COMMITTED: each statement sees what was committed before it);
 *   3. raw visits; 4. visitors; 5. aggregates per link, then those of all links (add-to-aggregates.ts).
 * It commits as a whole or not at all. If the response to COMMIT is lost, the caller repeats the call with the same batches.
 */
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { Pool, PoolClient } from 'pg'
import { addMisdated } from './add-misdated.ts'
import type { Slice } from './add-to-aggregates.ts'
import { addToAggregates } from './add-to-aggregates.ts'
import { copyVisits } from './copy-visits.ts'
import { insertVisitors } from './insert-visitors.ts'
import type { TextNumbers } from './number-texts.ts'
import { sliceByLink, sortedPlaces } from './slice-visits.ts'
import type { VisitColumns } from './visit-columns.ts'

export interface Batch extends BatchId {
  /** The places of its visits: from `begin` up to, but not including, `end`. */
  begin: number
  end: number
}

export interface Recorded {
  /** Visits counted by this call. */
  visits: number
  /** Batches that had been counted before. */
  duplicates: number
  /** Of the visits, those whose own time could not be right. */
  misdated: number
}

export async function recordBatches(
  pool: Pool,
  texts: TextNumbers,
  visits: VisitColumns,
  batches: Batch[],
): Promise<Recorded> {
  const distinct = [...new Map(batches.map(batch => [batchKey(batch), batch])).values()].sort(byId)
  const numbers = await texts.of(visits.userAgentTexts, visits.referrerTexts)
  const record = async (client: PoolClient): Promise<Recorded> => {
    const fresh = await enterLedger(client, distinct)
    // Sorted, raw visits of a link are neighbours in the index, which halves the cost of entering them there.
    const places = sortedPlaces(visits, fresh)
    if (places.length > 0) {
      await copyVisits(client, visits, places, numbers)
      const slices: Slice[] = []
      for (const some of sliceByLink(visits, places))
        slices.push({ places: some, uniques: await insertVisitors(client, visits, some) })
      await addToAggregates(client, visits, slices)
    }
    const misdated = await addMisdated(client, visits, fresh)
    return { visits: places.length, duplicates: batches.length - fresh.length, misdated }
  }
  // The lock that any INSERT takes, before the snapshot in which salts are read: see insert-visitors.ts.
  return inTransaction(pool, record, 'BEGIN; LOCK TABLE visitors IN ROW EXCLUSIVE MODE')
}

function byId(a: BatchId, b: BatchId): number {
  if (a.producerId !== b.producerId) return a.producerId < b.producerId ? -1 : 1
  return a.seq - b.seq
}

/** Writes the ledger rows and returns the batches that were in neither ledger nor watermarks. */
async function enterLedger(client: PoolClient, batches: Batch[]): Promise<Batch[]> {
  const entered = await client.query<{ producer_id: string; seq: number }>({
    name: 'enter-ledger',
    text: `INSERT INTO ledger (producer_id, seq, counted)
           SELECT producer_id, seq, visits
           FROM unnest($1::uuid[], $2::bigint[], $3::integer[]) AS batch (producer_id, seq, visits)
           ORDER BY producer_id, seq
           ON CONFLICT (producer_id, seq) DO NOTHING
           RETURNING producer_id, seq`,
    values: [batches.map(b => b.producerId), batches.map(b => b.seq), batches.map(b => b.end - b.begin)],
  })
  const enteredKeys = new Set(
    entered.rows.map(row => batchKey({ producerId: row.producer_id, seq: row.seq })),
  )
  const producers = [...new Set(batches.map(batch => batch.producerId))]
  const watermarks = await client.query<{ producer_id: string; seq: number }>({
    name: 'read-watermarks',
    text: 'SELECT producer_id, seq FROM ledger_watermarks WHERE producer_id = ANY($1::uuid[])',
    values: [producers],
  })
  const watermarkOf = new Map(watermarks.rows.map(row => [row.producer_id, row.seq]))
  const belowWatermark = batches.filter(
    batch => enteredKeys.has(batchKey(batch)) && batch.seq <= (watermarkOf.get(batch.producerId) ?? 0),
  )
  if (belowWatermark.length > 0) await leaveLedger(client, belowWatermark)
  const stale = new Set(belowWatermark.map(batchKey))
  return batches.filter(batch => enteredKeys.has(batchKey(batch)) && !stale.has(batchKey(batch)))
}

/** Removes the rows of batches that a watermark already covers. */
async function leaveLedger(client: PoolClient, batches: BatchId[]): Promise<void> {
  await client.query({
    name: 'leave-ledger',
    text: `DELETE FROM ledger USING unnest($1::uuid[], $2::bigint[]) AS batch (producer_id, seq)
           WHERE ledger.producer_id = batch.producer_id AND ledger.seq = batch.seq`,
    values: [batches.map(b => b.producerId), batches.map(b => b.seq)],
  })
}
