import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
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
 * Enters a batch as recorded with no visits: from now on the ledger absorbs it, should it turn up. False where it has
 * turned up before: its visits are counted, and nothing is changed.
 *
 * The watermark is read after the row was entered, as the worker does: compaction replaces rows by a watermark.
 */
export async function voidBatch(pool: Pool, { producerId, seq }: BatchId): Promise<boolean> {
  const client = await pool.connect()
  // What is lost in the middle rejects the query, and is emitted as well.
  const ignore = () => {}
  client.on('error', ignore)
  let failure: unknown
  try {
    await client.query('BEGIN')
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
    const isVoid = entered.rows[0]?.counted === 0 && watermark.rowCount === 0
    await client.query(isVoid ? 'COMMIT' : 'ROLLBACK')
    return isVoid
  } catch (error) {
    failure = error
    throw error
  } finally {
    client.off('error', ignore)
    client.release(failure !== undefined)
  }
}
