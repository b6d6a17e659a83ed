import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { Pool } from 'pg'

/** The keys of those batches that are recorded. One statement, so it sees the ledger before or after a compaction, never between. */
export async function recordedBatches(pool: Pool, batches: BatchId[]): Promise<Set<string>> {
  const result = await pool.query<{ producer_id: string; seq: number }>({
    name: 'recorded-batches',
    text: `SELECT wanted.producer_id, wanted.seq
           FROM unnest($1::uuid[], $2::bigint[]) AS wanted (producer_id, seq)
           WHERE EXISTS (SELECT FROM ledger WHERE ledger.producer_id = wanted.producer_id AND ledger.seq = wanted.seq)
              OR EXISTS (SELECT FROM ledger_watermarks AS mark WHERE mark.producer_id = wanted.producer_id AND mark.seq >= wanted.seq)`,
    values: [batches.map(batch => batch.producerId), batches.map(batch => batch.seq)],
  })
  return new Set(result.rows.map(row => batchKey({ producerId: row.producer_id, seq: row.seq })))
}

/**
 * Enters a batch into the ledger with no visits, so that the ledger absorbs it if it arrives later. Returns false, and
 * changes nothing, where the batch has arrived already: its visits are counted.
 *
 * The watermark is read after the row is inserted, as in the worker: compaction replaces rows by a watermark.
 */
export function voidBatch(pool: Pool, { producerId, seq }: BatchId): Promise<boolean> {
  return inTransaction(pool, async client => {
    const entered = await client.query<{ counted: number }>({
      name: 'void-batch',
      text: `INSERT INTO ledger (producer_id, seq, counted) VALUES ($1, $2, 0)
             ON CONFLICT (producer_id, seq) DO UPDATE SET counted = ledger.counted RETURNING counted`,
      values: [producerId, seq],
    })
    const watermark = await client.query({
      name: 'watermark-of-batch',
      text: 'SELECT FROM ledger_watermarks WHERE producer_id = $1 AND seq >= $2',
      values: [producerId, seq],
    })
    const isBelowWatermark = watermark.rowCount !== 0
    if (isBelowWatermark) {
      await client.query({
        name: 'leave-ledger-again',
        text: 'DELETE FROM ledger WHERE producer_id = $1 AND seq = $2 AND counted = 0',
        values: [producerId, seq],
      })
    }
    return entered.rows[0]?.counted === 0 && !isBelowWatermark
  })
}
