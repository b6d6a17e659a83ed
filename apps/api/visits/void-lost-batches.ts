import { readdir } from 'node:fs/promises'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { errorText } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import type { ProducerFolder } from './producer-folder.ts'

/**
 * Enters as void what the ledger lacks of a producer's batches below `below` and below every segment in its folder, and says
 * how many these are. The database had recorded them and has lost them, longer ago than segments are kept, so nobody has
 * their visits any more. Without rows they would hold up the ledger's watermark for as long as the producer runs.
 *
 * @param below no number that is in use, or that the ledger was never seen to hold
 */
export async function voidLostBatches(options: {
  pool: Pool
  folder: Pick<ProducerFolder, 'producerId' | 'path'>
  below: number
  log: Log
}): Promise<void> {
  const { pool, folder, below, log } = options
  try {
    const lowest = (await lowestSegment(folder.path)) ?? below
    const batches = await enterMissing(pool, folder.producerId, Math.min(lowest, below))
    if (batches > 0)
      log.error({ batches }, 'visits are lost: the database has lost batches that are not kept any more')
  } catch (error) {
    log.warn({ reason: errorText(error) }, 'batches that the database has lost could not be made void')
  }
}

/** Returns how many were missing. */
function enterMissing(pool: Pool, producerId: string, below: number): Promise<number> {
  return inTransaction(pool, async client => {
    const entered = await client.query({
      name: 'void-lost-batches',
      text: `INSERT INTO ledger (producer_id, seq, counted)
             SELECT $1::uuid, seq, 0
             FROM generate_series(
               (SELECT coalesce(max(seq), 0) + 1 FROM ledger_watermarks WHERE producer_id = $1::uuid), $2::bigint - 1) AS seq
             WHERE NOT EXISTS (
               SELECT FROM set_aside_batches AS aside WHERE aside.producer_id = $1::uuid AND aside.seq = seq.seq)
             ON CONFLICT DO NOTHING`,
      values: [producerId, below],
    })
    // Of rows that a compaction has replaced by the watermark in the meantime.
    const covered = await client.query({
      name: 'leave-covered-batches',
      text: `DELETE FROM ledger USING ledger_watermarks AS mark
             WHERE ledger.producer_id = $1 AND mark.producer_id = $1 AND ledger.seq <= mark.seq AND counted = 0`,
      values: [producerId],
    })
    return (entered.rowCount ?? 0) - (covered.rowCount ?? 0)
  })
}

/** The lowest number of the segments in a producer's folder that were not set aside; undefined if there is none. */
async function lowestSegment(folder: string): Promise<number | undefined> {
  const seqs = (await readdir(folder))
    .flatMap(name => /^(\d{12})\.(?:open|sealed|kept|retry)$/.exec(name)?.[1] ?? [])
    .map(Number)
  return seqs.length > 0 ? seqs.reduce((a, b) => Math.min(a, b)) : undefined
}
