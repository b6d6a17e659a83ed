import type { Pool } from 'pg'
import type { BatchId } from './visit-batch.ts'
import { batchKey } from './visit-batch.ts'

/**
 * The keys of those batches that are recorded (in the ledger, or covered by the watermark and not set aside), and the epoch
 * of the database that says so (database-epoch.ts); without an epoch the ledger is not to be trusted. One statement, so it
 * sees the ledger before or after a compaction, never between.
 */
export async function recordedBatches(
  pool: Pool,
  batches: BatchId[],
): Promise<{ recorded: Set<string>; epoch: string | undefined }> {
  const result = await pool.query<{ places: number[]; epoch: string | null }>({
    name: 'recorded-batches',
    text: `SELECT current_epoch() AS epoch, ARRAY(
             SELECT wanted.place::integer
             FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS wanted (producer_id, seq, place)
             WHERE EXISTS (SELECT FROM ledger WHERE ledger.producer_id = wanted.producer_id AND ledger.seq = wanted.seq)
                OR (EXISTS (SELECT FROM ledger_watermarks AS mark WHERE mark.producer_id = wanted.producer_id AND mark.seq >= wanted.seq)
                    AND NOT EXISTS (SELECT FROM set_aside_batches AS aside WHERE aside.producer_id = wanted.producer_id AND aside.seq = wanted.seq))
           ) AS places`,
    values: [batches.map(batch => batch.producerId), batches.map(batch => batch.seq)],
  })
  const { places = [], epoch = null } = result.rows[0] ?? {}
  const recorded = places.map(place => batches[place - 1]).filter(batch => batch !== undefined)
  return { recorded: new Set(recorded.map(batchKey)), epoch: epoch ?? undefined }
}
