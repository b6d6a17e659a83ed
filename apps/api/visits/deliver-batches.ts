/**
 * Delivers sealed batches: hands them to the queue, and keeps each until the ledger holds it.
 *
 * States of a batch here: unsent (the queue could not be reached) → sent → recorded (the ledger holds it; the segment
 * is deleted, only now). At most `windowBatches` are in these states; the rest of the backlog waits in the spool as
 * files, so neither Redis nor this process grows with it. Of a batch that was sent but is not recorded after
 * `sendAgainAfterMs` the queue is asked: it may have lost it (FLUSHALL, a lost tail of its append-only file). Then it
 * is added again, under the same job id, of which the queue holds one at most.
 */

import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog, errorText } from '@hopcount/shared/log.ts'
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { Pool } from 'pg'
import { recordedBatches, voidBatch } from './ledger-queries.ts'
import { createBatchPacker } from './pack-batches.ts'
import type { BatchSource, SealedBatch } from './sealed-batch.ts'

export interface Deliverer {
  hasRoom(): boolean
  /** Takes over a batch, even beyond the window (one that the queue already has). */
  deliver(batch: SealedBatch, options?: { alreadySent: boolean }): void
  /** Asks the sources, first one first, for as many batches as there is room for. */
  fill(): void
  addSource(source: BatchSource): void
  /** The batch should not count, unless it has: its visits were not answered. Kept up until the ledger says so. */
  voidBatch(batch: BatchId): void
  /** Visits of the batches that are not known to be recorded, and the moment of the oldest of them. */
  pending(which?: (batch: SealedBatch) => boolean): {
    batches: number
    visits: number
    firstVisitAt: number | undefined
  }
  /** True while some batch of this producer is not known to be recorded. */
  holds(producerId: string): boolean
  /** Tries for `withinMs` to send what is unsent and to see it recorded, then stops. */
  stop(withinMs: number): Promise<void>
}

interface Outstanding {
  batch: SealedBatch
  state: 'sending' | 'unsent' | 'sent'
  sentAt: number
  timesSent: number
}

const confirmEveryMs = 150
const resendEveryMs = 500

export function createDeliverer(options: {
  queue: VisitQueue
  pool: Pool
  log: Log
  onSetAside: () => void
  windowBatches?: number
  sendAgainAfterMs?: number
}): Deliverer {
  const { queue, pool, log, windowBatches = 32, sendAgainAfterMs = 10_000 } = options
  const pack = createBatchPacker(queue.pack)
  const outstanding = new Map<string, Outstanding>()
  const sources: BatchSource[] = []
  const toVoid = new Map<string, BatchId>()
  const ledgerHealth = createHealthLog(log, 'asking the ledger')
  let stopped = false
  let confirmTimer: NodeJS.Timeout | undefined
  let resendTimer: NodeJS.Timeout | undefined
  let confirming: Promise<void> = Promise.resolve()

  const hasRoom = () => outstanding.size < windowBatches

  function fill(): void {
    for (const source of sources) {
      while (hasRoom() && !stopped) {
        const batch = source()
        if (batch === undefined) break
        deliver(batch)
      }
    }
  }

  function deliver(batch: SealedBatch, { alreadySent } = { alreadySent: false }): void {
    const key = batchKey(batch)
    if (outstanding.has(key)) return
    const entry: Outstanding = {
      batch,
      state: alreadySent ? 'sent' : 'unsent',
      sentAt: Date.now(),
      timesSent: alreadySent ? 1 : 0,
    }
    outstanding.set(key, entry)
    if (!alreadySent) void send(entry)
    confirmTimer ??= setTimeout(startConfirm, confirmEveryMs)
  }

  async function send(entry: Outstanding): Promise<boolean> {
    entry.state = 'sending'
    try {
      if (entry.timesSent > 0 && (await isHeld(entry))) {
        entry.state = 'sent'
        entry.sentAt = Date.now()
        return true
      }
      const frames = await pack(entry.batch)
      if (frames === undefined) {
        forget(entry)
        return true
      }
      if (entry.timesSent > 0 && (await isRefused(entry, frames))) return true
      await queue.add({ producerId: entry.batch.producerId, seq: entry.batch.seq, frames })
      entry.state = 'sent'
      entry.sentAt = Date.now()
      entry.timesSent++
      return true
    } catch (error) {
      // The queue logs its own failing, once. What the disk says is said here.
      if ((error as NodeJS.ErrnoException).syscall !== undefined) {
        log.debug({ batch: batchKey(entry.batch), reason: errorText(error) }, 'batch not sent')
      }
      entry.state = 'unsent'
      return false
    } finally {
      if (entry.state === 'unsent' && !stopped) resendTimer ??= setTimeout(resend, resendEveryMs)
    }
  }

  /** By the job itself, not by the queue's lists: where only those are left, the job is added again. */
  async function isHeld(entry: Outstanding): Promise<boolean> {
    const job = await queue.find(batchKey(entry.batch))
    return job !== undefined && !(await job.isFailed())
  }

  /** A failed job keeps its id taken. Same bytes: set aside. Other bytes (changed on their way): ours replace them. */
  async function isRefused(entry: Outstanding, frames: string): Promise<boolean> {
    const job = await queue.find(batchKey(entry.batch))
    if (job === undefined || !(await job.isFailed())) return false
    const data: unknown = job.data
    const same = typeof data === 'object' && data !== null && 'frames' in data && data.frames === frames
    if (!same) {
      await job.remove()
      return false
    }
    await entry.batch.setAside()
    options.onSetAside()
    log.error(
      { batch: batchKey(entry.batch), reason: job.failedReason },
      'a batch that the worker refuses is set aside',
    )
    forget(entry)
    return true
  }

  /** One by one and in order; the first that fails ends the round, so a queue that is away costs one attempt. */
  async function resend(): Promise<void> {
    for (const entry of outstanding.values()) {
      const due = entry.state === 'sent' && Date.now() - entry.sentAt > sendAgainAfterMs
      if ((entry.state === 'unsent' || due) && !(await send(entry))) break
    }
    resendTimer = undefined
    if (!stopped && outstanding.size > 0) resendTimer = setTimeout(resend, resendEveryMs)
  }

  function startConfirm(): void {
    confirming = confirm()
  }

  async function confirm(): Promise<void> {
    try {
      if (toVoid.size > 0) await voidOutstanding()
      if (outstanding.size > 0) {
        const asked = [...outstanding.values()]
        const recorded = await recordedBatches(
          pool,
          asked.map(entry => entry.batch),
        )
        for (const entry of asked) {
          if (!recorded.has(batchKey(entry.batch))) continue
          await entry.batch.discard()
          forget(entry)
        }
      }
      ledgerHealth.works()
    } catch (error) {
      ledgerHealth.fails(error)
    }
    confirmTimer = undefined
    fill()
    if (outstanding.size > 0) resendTimer ??= setTimeout(resend, resendEveryMs)
    if (!stopped && (outstanding.size > 0 || toVoid.size > 0)) {
      confirmTimer ??= setTimeout(startConfirm, ledgerHealth.failing() ? 1_000 : confirmEveryMs)
    }
  }

  async function voidOutstanding(): Promise<void> {
    for (const [key, batch] of toVoid) {
      await voidBatch(pool, batch)
      toVoid.delete(key)
    }
  }

  function forget(entry: Outstanding): void {
    outstanding.delete(batchKey(entry.batch))
  }

  async function stop(withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs
    while (Date.now() < deadline && outstanding.size > 0 && !ledgerHealth.failing()) {
      if ([...outstanding.values()].every(entry => entry.state === 'unsent' && entry.timesSent === 0)) break
      await new Promise(resolve => setTimeout(resolve, 25))
    }
    stopped = true
    clearTimeout(confirmTimer)
    clearTimeout(resendTimer)
    await confirming
  }

  return {
    hasRoom,
    deliver,
    fill,
    addSource: source => sources.push(source),
    voidBatch(batch) {
      toVoid.set(batchKey(batch), batch)
      confirmTimer ??= setTimeout(startConfirm, confirmEveryMs)
    },
    pending(which = () => true) {
      let batches = 0
      let visits = 0
      let firstVisitAt: number | undefined
      for (const { batch } of outstanding.values()) {
        if (!which(batch)) continue
        batches++
        visits += batch.visits
        if (firstVisitAt === undefined || batch.firstVisitAt < firstVisitAt) firstVisitAt = batch.firstVisitAt
      }
      return { batches, visits, firstVisitAt }
    },
    holds: producerId => [...outstanding.values()].some(entry => entry.batch.producerId === producerId),
    stop,
  }
}
