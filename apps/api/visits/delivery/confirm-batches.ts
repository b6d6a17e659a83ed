/**
 * Brings batches from the deliverer to their exit by what the ledger says: those it holds are let go here, and those that
 * must not count are entered as void. A segment that can't be let go is tried again, and holds up nothing.
 */
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import { recordedBatches } from '@hopcount/shared/visits/recorded-batches.ts'
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import { voidBatch } from '@hopcount/shared/visits/void-batch.ts'
import type { Pool } from 'pg'
import type { DatabaseWatch } from '../../watch-database.ts'
import type { SealedBatch } from '../sealed-batch.ts'
import type { TrackedBatch } from './batch-states.ts'
import { moveBatch } from './batch-states.ts'
import type { OutstandingBatches } from './outstanding-batches.ts'

export interface Confirmation {
  /** Throws when the ledger fails; what it did not get to is done by the next call. */
  confirm(): Promise<void>
  /** `onDone` is told whether the batch is void; otherwise it is counted. */
  voidLater(batch: BatchId, onDone?: (isVoid: boolean) => void): void
  /** The batch was made void elsewhere. */
  voided(batch: BatchId): void
  /** The ledger may have lost batches that were void: they are made void again. */
  doubt(): void
  /** How many batches are still to be made void. */
  voiding(): number
  /** True while a recorded segment of this producer could not be deleted. */
  hasUndeleted(producerId: string): boolean
  /** No segment is deleted any more. */
  stop(): void
}

const discardAgainAfterMs = 1_000
/** More would take up memory. Their segments are let go by the process that adopts them. */
const maxUndeleted = 1_000
/** Void batches are rare: a reply of the queue was lost while the spool was full. */
const maxRemembered = 1_000

export function createConfirmation(
  pool: Pool,
  watch: Pick<DatabaseWatch, 'epoch' | 'check'>,
  outstanding: OutstandingBatches,
  log: Log,
): Confirmation {
  const discardHealth = createHealthLog(log, 'deleting recorded segments')
  /** Recorded batches whose segments could not be let go; none of them keeps the others. */
  const undeleted: { batch: SealedBatch; epoch: string }[] = []
  let retryTimer: NodeJS.Timeout | undefined
  let stopped = false
  const latestVoid: BatchId[] = []
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
      if (isVoid) voided(tracked.batch)
      onDone(isVoid)
    }
  }

  function voided({ producerId, seq }: BatchId): void {
    latestVoid.push({ producerId, seq })
    if (latestVoid.length > maxRemembered) latestVoid.shift()
  }

  function doubt(): void {
    for (const batch of latestVoid.splice(0)) voidLater(batch)
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
      const { batch, recordedIn: epoch } = entry
      const isReleased = await discard(batch, epoch)
      if (!isReleased) undeleted.push({ batch, epoch })
      outstanding.move(entry, isReleased ? 'segment released' : 'segment left behind')
    }
    undeleted.splice(0, undeleted.length - maxUndeleted)
    if (undeleted.length > 0) retryTimer ??= setTimeout(retryDiscards, discardAgainAfterMs)
  }

  async function discard(batch: SealedBatch, epoch: string): Promise<boolean> {
    try {
      await batch.discard(epoch)
      return true
    } catch (error) {
      discardHealth.fails(error)
      return false
    }
  }

  async function retryDiscards(): Promise<void> {
    const batches = undeleted.splice(0)
    for (const { batch, epoch } of batches)
      if (!(await discard(batch, epoch))) undeleted.push({ batch, epoch })
    if (undeleted.length === 0) discardHealth.works()
    retryTimer = undeleted.length > 0 && !stopped ? setTimeout(retryDiscards, discardAgainAfterMs) : undefined
  }

  function stop(): void {
    stopped = true
    clearTimeout(retryTimer)
  }

  return {
    confirm,
    voidLater,
    voided,
    doubt,
    voiding: () => voiding.size,
    hasUndeleted: producerId => undeleted.some(({ batch }) => batch.producerId === producerId),
    stop,
  }
}
