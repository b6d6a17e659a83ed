import type { Pool } from 'pg'
import { inTransaction } from '../database/in-transaction.ts'
import type { BatchId } from './visit-batch.ts'

/** In characters: PostgreSQL's message may quote what it refuses. */
const maxReasonLength = 500

/**
 * Enters a batch as set aside, so that the watermark can pass it and it is not forgotten. Returns false, and changes
 * nothing, if the batch is recorded: then there is nothing to set aside.
 *
 * Its ledger row only locks the batch's key, and nobody else ever sees it. The watermark is read after that, as whoever
 * records the batch does: compaction replaces rows by a watermark.
 */
export function setAsideBatch(
  pool: Pool,
  { producerId, seq }: BatchId,
  { reason, visits }: { reason: string; visits?: number | undefined },
): Promise<boolean> {
  return inTransaction(pool, async client => {
    const locked = await client.query({
      name: 'lock-batch',
      text: 'INSERT INTO ledger (producer_id, seq, counted) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING',
      values: [producerId, seq],
    })
    if (locked.rowCount === 0) return false
    const entered = await client.query({
      name: 'set-aside-batch',
      text: `INSERT INTO set_aside_batches AS aside (producer_id, seq, reason, visits)
             SELECT $1, $2, $3, $4
             WHERE EXISTS (SELECT FROM set_aside_batches WHERE producer_id = $1 AND seq = $2)
                OR NOT EXISTS (SELECT FROM ledger_watermarks AS mark WHERE mark.producer_id = $1 AND mark.seq >= $2)
             ON CONFLICT (producer_id, seq) DO UPDATE
             SET reason = excluded.reason, visits = coalesce(excluded.visits, aside.visits), set_aside_at = now()`,
      values: [producerId, seq, reason.slice(0, maxReasonLength), visits ?? null],
    })
    await client.query({
      name: 'unlock-batch',
      text: 'DELETE FROM ledger WHERE producer_id = $1 AND seq = $2',
      values: [producerId, seq],
    })
    return entered.rowCount !== 0
  })
}
