/** The batches that a deliverer holds, in order of arrival, each until it leaves by one of the exits. */
import type { Log } from '@hopcount/shared/log.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { SealedBatch } from '../sealed-batch.ts'
import type { BatchEvent, BatchExit, TrackedBatch } from './batch-states.ts'
import { isExit, moveBatch } from './batch-states.ts'

export interface OutstandingBatch extends TrackedBatch {
  readonly batch: SealedBatch
  /** When the queue was last known to hold it (performance.now()); undefined when it never was. */
  sentAt: number | undefined
  /** The epoch of the database in which the ledger was seen to hold it. */
  recordedIn: string
}

export interface OutstandingBatches extends Iterable<OutstandingBatch> {
  size(): number
  /** Undefined when the batch is here already. */
  add(batch: SealedBatch, event: 'delivered' | 'delivered as sent'): OutstandingBatch | undefined
  move(outstanding: OutstandingBatch, event: BatchEvent): void
  pending(which?: (batch: SealedBatch) => boolean): PendingBatches
  holds(producerId: string): boolean
  lowestSeq(producerId: string): number | undefined
}

export interface PendingBatches {
  batches: number
  visits: number
  /** Milliseconds since 1970. */
  firstVisitAt: number | undefined
}

/** `onExit` is called once for each batch, when it has left. */
export function createOutstandingBatches(
  log: Log,
  onExit: (batch: SealedBatch, exit: BatchExit) => void,
): OutstandingBatches {
  const byKey = new Map<string, OutstandingBatch>()

  function add(batch: SealedBatch, event: 'delivered' | 'delivered as sent'): OutstandingBatch | undefined {
    const key = batchKey(batch)
    if (byKey.has(key)) return undefined
    const outstanding: OutstandingBatch = { batch, state: 'new', sentAt: undefined, recordedIn: '' }
    byKey.set(key, outstanding)
    move(outstanding, event)
    return outstanding
  }

  function move(outstanding: OutstandingBatch, event: BatchEvent): void {
    if (!moveBatch(outstanding, event, log)) return
    const { batch, state } = outstanding
    if (state === 'sent') outstanding.sentAt = performance.now()
    if (!isExit(state)) return
    byKey.delete(batchKey(batch))
    onExit(batch, state)
  }

  function pending(which: (batch: SealedBatch) => boolean = () => true): PendingBatches {
    const found: PendingBatches = { batches: 0, visits: 0, firstVisitAt: undefined }
    for (const { batch } of byKey.values()) {
      if (!which(batch)) continue
      found.batches++
      found.visits += batch.visits
      found.firstVisitAt = Math.min(found.firstVisitAt ?? batch.firstVisitAt, batch.firstVisitAt)
    }
    return found
  }

  function holds(producerId: string): boolean {
    for (const { batch } of byKey.values()) if (batch.producerId === producerId) return true
    return false
  }

  function lowestSeq(producerId: string): number | undefined {
    let lowest: number | undefined
    for (const { batch } of byKey.values())
      if (batch.producerId === producerId) lowest = Math.min(lowest ?? batch.seq, batch.seq)
    return lowest
  }

  return {
    size: () => byKey.size,
    add,
    move,
    pending,
    holds,
    lowestSeq,
    [Symbol.iterator]: () => byKey.values(),
  }
}
