/**
 * Records batches of visits, each exactly once, several in one transaction.
 *
 * Every worker's transaction uses the same order, with the rows of a table sorted by key, so that two workers may wait for
 * each other but never deadlock:
 *   1. ledger rows, then watermarks and batches that were set aside (enter-ledger.ts): a batch that is recorded already is
 *      left out of all that follows;
 *   2. raw visits; 3. visitors; 4. aggregates per link, then those of all links (add-to-aggregates.ts).
 *
 * Numbers of texts and hashes of visitors hold in one incarnation of the database only (known-database.ts). If it is another
 * one by now, nothing is written, and the call throws DatabaseChanged.
 *
 * Statements that need no response to another are sent together: each response that a worker waits for costs it a turn on the
 * processor, at a priority that may be low. A transaction with one slice has 19 statements and waits 8 times.
 *
 * It commits as a whole or not at all. If the response to COMMIT is lost, the caller repeats the call with the same batches.
 */
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import { sendTogether } from '@hopcount/shared/database/send-together.ts'
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { Pool, PoolClient } from 'pg'
import { addMisdated } from './add-misdated.ts'
import { addToAggregates } from './add-to-aggregates.ts'
import { copyVisits } from './copy-visits.ts'
import { enterLedger } from './enter-ledger.ts'
import { daysOf, daysWithSalt, insertVisitors } from './insert-visitors.ts'
import { readIncarnation } from './known-database.ts'
import { sliceByLink, sortedPlaces } from './slice-visits.ts'
import type { VisitColumns } from './visit-columns.ts'
import type { VisitKnowledge } from './visit-knowledge.ts'

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

/** @param incarnation the one that was known before the visits were described */
export async function recordBatches(
  pool: Pool,
  { texts, database }: Pick<VisitKnowledge, 'texts' | 'database'>,
  incarnation: string,
  visits: VisitColumns,
  batches: Batch[],
): Promise<Recorded> {
  const distinct = [...new Map(batches.map(batch => [batchKey(batch), batch])).values()]
    .sort(byId)
    .map(batch => ({ ...batch, visits: batch.end - batch.begin }))
  database.expect(incarnation, incarnation)
  const numbers = await texts.of(visits.userAgentTexts, visits.referrerTexts)
  const record = async (client: PoolClient): Promise<Recorded> => {
    const [fresh, seen, days] = await sendTogether(client, () => [
      enterLedger(client, distinct),
      readIncarnation(client),
      daysWithSalt(client, daysOf(visits, distinct)),
    ])
    // Sorted, raw visits of a link are neighbours in the index, which halves the cost of entering them there.
    const places = sortedPlaces(visits, fresh)
    if (places.length > 0) {
      database.expect(incarnation, seen)
      await copyVisits(client, visits, places, numbers)
      const slices = sliceByLink(visits, places)
      await addToAggregates(client, visits, slices, await insertVisitors(client, visits, slices, days))
    }
    const misdated = await addMisdated(client, visits, fresh)
    return { visits: places.length, duplicates: batches.length - fresh.length, misdated }
  }
  // The lock that any INSERT takes, before the snapshot in which salts are read: see insert-visitors.ts.
  return inTransaction(pool, record, { first: 'LOCK TABLE visitors IN ROW EXCLUSIVE MODE' })
}

function byId(a: BatchId, b: BatchId): number {
  if (a.producerId !== b.producerId) return a.producerId < b.producerId ? -1 : 1
  return a.seq - b.seq
}
