import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { Pool } from 'pg'

/** The keys of those batches that are recorded: in the ledger, or covered by the watermark and not set aside. One statement, so it sees the ledger before or after a compaction, never between. */
export async function recordedBatches(pool: Pool, batches: BatchId[]): Promise<Set<string>> {
  const result = await pool.query<{ producer_id: string; seq: number }>({
    name: 'recorded-batches',
    text: `SELECT wanted.producer_id, wanted.seq
           FROM unnest($1::uuid[], $2::bigint[]) AS wanted (producer_id, seq)
           WHERE EXISTS (SELECT FROM ledger WHERE ledger.producer_id = wanted.producer_id AND ledger.seq = wanted.seq)
              OR (EXISTS (SELECT FROM ledger_watermarks AS mark WHERE mark.producer_id = wanted.producer_id AND mark.seq >= wanted.seq)
                  AND NOT EXISTS (SELECT FROM set_aside_batches AS aside WHERE aside.producer_id = wanted.producer_id AND aside.seq = wanted.seq))`,
    values: [batches.map(batch => batch.producerId), batches.map(batch => batch.seq)],
  })
  return new Set(result.rows.map(row => batchKey({ producerId: row.producer_id, seq: row.seq })))
}
