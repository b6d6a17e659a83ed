import type { BatchId } from '@hopcount/shared/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visit-batch.ts'
import type { Pool } from 'pg'

/** Those of the batches that are recorded, as keys. One statement, so compaction is seen before or after, never between. */
export async function recordedBatches(pool: Pool, batches: BatchId[]): Promise<Set<string>> {
  const result = await pool.query<{ producer_id: string; seq: number }>({
    name: 'recorded-batches',
    text: `SELECT asked.producer_id, asked.seq
           FROM unnest($1::uuid[], $2::bigint[]) AS asked (producer_id, seq)
           WHERE EXISTS (SELECT FROM ledger WHERE ledger.producer_id = asked.producer_id AND ledger.seq = asked.seq)
              OR EXISTS (SELECT FROM ledger_watermarks AS mark WHERE mark.producer_id = asked.producer_id AND mark.seq >= asked.seq)`,
    values: [batches.map(batch => batch.producerId), batches.map(batch => batch.seq)],
  })
  return new Set(result.rows.map(row => batchKey({ producerId: row.producer_id, seq: row.seq })))
}

/**
 * Enters batches as recorded with no visits. Their visits were refused (503) while nobody knew whether the queue
 * had taken them: from now on the ledger absorbs them, should they turn up.
 */
export async function voidBatches(pool: Pool, batches: BatchId[]): Promise<void> {
  await pool.query({
    name: 'void-batches',
    text: `INSERT INTO ledger (producer_id, seq, visits)
           SELECT producer_id, seq, 0 FROM unnest($1::uuid[], $2::bigint[]) AS batch (producer_id, seq)
           ORDER BY producer_id, seq
           ON CONFLICT (producer_id, seq) DO NOTHING`,
    values: [batches.map(batch => batch.producerId), batches.map(batch => batch.seq)],
  })
}
