import type { Pool } from 'pg'
import { inTransaction } from '../database/in-transaction.ts'
import type { BatchId } from './visit-batch.ts'

/**
 * Enters a batch into the ledger with no visits, so that the ledger absorbs it if it arrives later. Returns false, and
 * changes nothing, where the batch has arrived already: its visits are counted. A batch that was set aside no longer is.
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
    if (entered.rows[0]?.counted !== 0) return false
    const wasAside = await client.query({
      name: 'void-set-aside',
      text: 'DELETE FROM set_aside_batches WHERE producer_id = $1 AND seq = $2',
      values: [producerId, seq],
    })
    if (wasAside.rowCount !== 0) return true
    const watermark = await client.query({
      name: 'watermark-of-batch',
      text: 'SELECT FROM ledger_watermarks WHERE producer_id = $1 AND seq >= $2',
      values: [producerId, seq],
    })
    if (watermark.rowCount === 0) return true
    await client.query({
      name: 'leave-ledger-again',
      text: 'DELETE FROM ledger WHERE producer_id = $1 AND seq = $2 AND counted = 0',
      values: [producerId, seq],
    })
    return false
  })
}
