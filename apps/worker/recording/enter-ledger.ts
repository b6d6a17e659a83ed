/**
 * The ledger as the worker sees it. A batch is recorded if it has a row in `ledger`, or if its producer's watermark covers
 * it and it has no row in `set_aside_batches`. Whoever changes that for a batch (this file, shared/visits/void-batch.ts,
 * shared/visits/set-aside-batch.ts) inserts its ledger row first: the unique key makes everybody else wait for the outcome.
 */
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { PoolClient } from 'pg'

/** Writes the ledger rows of these batches and returns the batches that were not recorded yet. */
export async function enterLedger<Batch extends BatchId & { visits: number }>(
  client: PoolClient,
  batches: Batch[],
): Promise<Batch[]> {
  const entered = await insertRows(client, batches)
  const { covered, wereAside } = await findCovered(client, entered)
  const stale = entered.filter(batch => covered.has(batchKey(batch)) && !wereAside.has(batchKey(batch)))
  if (stale.length > 0) await deleteRows(client, stale)
  const staleKeys = new Set(stale.map(batchKey))
  return entered.filter(batch => !staleKeys.has(batchKey(batch)))
}

async function insertRows<Batch extends BatchId & { visits: number }>(
  client: PoolClient,
  batches: Batch[],
): Promise<Batch[]> {
  const { rows } = await client.query<{ producer_id: string; seq: number }>({
    name: 'enter-ledger',
    text: `INSERT INTO ledger (producer_id, seq, counted)
           SELECT producer_id, seq, visits
           FROM unnest($1::uuid[], $2::bigint[], $3::integer[]) AS batch (producer_id, seq, visits)
           ORDER BY producer_id, seq
           ON CONFLICT (producer_id, seq) DO NOTHING
           RETURNING producer_id, seq`,
    values: [batches.map(b => b.producerId), batches.map(b => b.seq), batches.map(b => b.visits)],
  })
  const keys = new Set(rows.map(keyOf))
  return batches.filter(batch => keys.has(batchKey(batch)))
}

/**
 * Which of these batches a watermark covers, and which were set aside; they no longer are. A statement of its own, after
 * the rows were written: compaction replaces rows by a watermark, and whoever writes a row after that must see the
 * watermark (READ COMMITTED: each statement sees what was committed before it).
 */
async function findCovered(
  client: PoolClient,
  batches: BatchId[],
): Promise<{ covered: Set<string>; wereAside: Set<string> }> {
  const { rows } = await client.query<{ producer_id: string; seq: number; covered: boolean }>({
    name: 'read-watermarks',
    text: `WITH batch AS (SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS batch (producer_id, seq)),
           was_aside AS (
             DELETE FROM set_aside_batches AS aside USING batch
             WHERE aside.producer_id = batch.producer_id AND aside.seq = batch.seq
             RETURNING aside.producer_id, aside.seq
           )
           SELECT producer_id, seq, false AS covered FROM was_aside
           UNION ALL
           SELECT batch.producer_id, batch.seq, true
           FROM batch JOIN ledger_watermarks AS mark USING (producer_id) WHERE batch.seq <= mark.seq`,
    values: [batches.map(b => b.producerId), batches.map(b => b.seq)],
  })
  return {
    covered: new Set(rows.filter(row => row.covered).map(keyOf)),
    wereAside: new Set(rows.filter(row => !row.covered).map(keyOf)),
  }
}

async function deleteRows(client: PoolClient, batches: BatchId[]): Promise<void> {
  await client.query({
    name: 'leave-ledger',
    text: `DELETE FROM ledger USING unnest($1::uuid[], $2::bigint[]) AS batch (producer_id, seq)
           WHERE ledger.producer_id = batch.producer_id AND ledger.seq = batch.seq`,
    values: [batches.map(b => b.producerId), batches.map(b => b.seq)],
  })
}

function keyOf(row: { producer_id: string; seq: number }): string {
  return batchKey({ producerId: row.producer_id, seq: row.seq })
}
