/** The batches that a deliverer holds: in the order in which they came, each until it has left by one of the exits. */
import type { Log } from '@hopcount/shared/log.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { BatchEvent, BatchExit, TrackedBatch } from './batch-states.ts'
import { isExit, moveBatch } from './batch-states.ts'
import type { SealedBatch } from './sealed-batch.ts'

export interface OutstandingBatch extends TrackedBatch {
  readonly batch: SealedBatch
  /** When the queue was last known to hold it (milliseconds since 1970); undefined when it never was. */
  sentAt: number | undefined
}

export interface OutstandingBatches extends Iterable<OutstandingBatch> {
  size(): number
  /** Undefined when the batch is here already. */
  add(batch: SealedBatch, event: 'delivered' | 'delivered as sent'): OutstandingBatch | undefined
  move(outstanding: OutstandingBatch, event: BatchEvent): void
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
    const outstanding: OutstandingBatch = { batch, state: 'new', sentAt: undefined }
    byKey.set(key, outstanding)
    move(outstanding, event)
    return outstanding
  }

  function move(outstanding: OutstandingBatch, event: BatchEvent): void {
    if (!moveBatch(outstanding, event, log)) return
    const { batch, state } = outstanding
    if (state === 'sent') outstanding.sentAt = Date.now()
    if (!isExit(state)) return
    byKey.delete(batchKey(batch))
    onExit(batch, state)
  }

  return { size: () => byKey.size, add, move, [Symbol.iterator]: () => byKey.values() }
}
