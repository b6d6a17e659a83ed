/**
 * Brings batches from the deliverer to their exit by what the ledger says: those it holds are let go here, and those that
 * must not count are entered as void.
 */
import type { Log } from '@hopcount/shared/log.ts'
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import { voidBatch } from '@hopcount/shared/visits/void-batch.ts'
import type { Pool } from 'pg'
import type { DatabaseWatch } from '../watch-database.ts'
import type { TrackedBatch } from './batch-states.ts'
import { moveBatch } from './batch-states.ts'
import { recordedBatches } from './ledger-queries.ts'
import type { OutstandingBatches } from './outstanding-batches.ts'

export interface Confirmation {
  /** Throws when the ledger or the disk fails; what it did not get to is done by the next call. */
  confirm(): Promise<void>
  /** `onDone` is told whether the batch is void; otherwise it is counted. */
  voidLater(batch: BatchId, onDone?: (isVoid: boolean) => void): void
  /** How many batches are still to be made void. */
  voiding(): number
}

export function createConfirmation(
  pool: Pool,
  watch: Pick<DatabaseWatch, 'epoch' | 'check'>,
  outstanding: OutstandingBatches,
  log: Log,
): Confirmation {
  const voiding = new Map<string, { tracked: TrackedBatch; onDone: (isVoid: boolean) => void }>()

  async function confirm(): Promise<void> {
    await voidBatches()
    await findRecorded()
    await discardRecorded()
  }

  function voidLater(batch: BatchId, onDone: (isVoid: boolean) => void = () => {}): void {
    const tracked: TrackedBatch = { batch, state: 'new' }
    moveBatch(tracked, 'disowned', log)
    voiding.set(batchKey(batch), { tracked, onDone })
  }

  async function voidBatches(): Promise<void> {
    for (const [key, { tracked, onDone }] of voiding) {
      const isVoid = await voidBatch(pool, tracked.batch)
      moveBatch(tracked, isVoid ? 'ledger takes it as void' : 'ledger holds it', log)
      voiding.delete(key)
      onDone(isVoid)
    }
  }

  async function findRecorded(): Promise<void> {
    const unconfirmed = [...outstanding].filter(({ state }) => state !== 'recorded')
    if (unconfirmed.length === 0) return
    const { recorded, epoch } = await recordedBatches(
      pool,
      unconfirmed.map(({ batch }) => batch),
    )
    if (epoch === undefined || epoch !== watch.epoch()) {
      // What this ledger holds may be gone already, or be that of a primary that has been replaced.
      await watch.check()
      return
    }
    for (const entry of unconfirmed) {
      if (!recorded.has(batchKey(entry.batch))) continue
      entry.recordedIn = epoch
      outstanding.move(entry, 'ledger holds it')
    }
  }

  async function discardRecorded(): Promise<void> {
    for (const entry of outstanding) {
      if (entry.state !== 'recorded') continue
      await entry.batch.discard(entry.recordedIn)
      outstanding.move(entry, 'segment released')
    }
  }

  return { confirm, voidLater, voiding: () => voiding.size }
}
