/**
 * Keeps the visits of one event-loop turn as a batch of their own, which the queue must acknowledge:
 *
 *   the queue acknowledges it                   → kept
 *   the queue never saw it                      → refused
 *   the queue's reply is lost, or says less than what is configured (queue-durability.ts): the ledger decides. It holds
 *   the batch → kept; it takes it as void → refused; it can't be read → uncertain
 *
 * `copy`: whether the spool gets the batch, too, as a sealed segment, before the queue is asked. Without one the bytes stay
 * in memory until the ledger holds them, `maxHeldBytes` at most. A copy of what is refused is removed again.
 */
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import { QueueUnfit } from '@hopcount/shared/visits/queue-durability.ts'
import type { BatchId, Visit } from '@hopcount/shared/visits/visit-batch.ts'
import { encodeFrame } from '@hopcount/shared/visits/visit-batch.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import { QueueNotReached } from '@hopcount/shared/visits/visit-queue.ts'
import { voidBatch } from '@hopcount/shared/visits/void-batch.ts'
import type { Pool } from 'pg'
import type { BatchNumbers } from './batch-numbers.ts'
import type { Deliverer } from './delivery/deliver-batches.ts'
import type { ProducerFolder } from './producer-folder.ts'
import { segmentPath } from './producer-folder.ts'
import type { SealedBatch } from './sealed-batch.ts'
import { batchInMemory } from './segments/batch-in-memory.ts'
import type { KeptSegments } from './segments/kept-segments.ts'
import type { OwnSegments } from './segments/own-segments.ts'
import { removeFile, writeSegment } from './write-segment.ts'

/** Visits by what became of them. */
export interface KeptVisits {
  kept: number
  /** Of those kept: the ones that the ledger already held before their redirect was sent. */
  countedAtOnce: number
  refused: number
  lost: number
}

export type Copy = 'none' | 'if possible' | 'required'

export type QueueOutcome = 'kept' | 'refused' | 'uncertain'

export type KeepInQueue = (visits: Visit[], copy: Copy) => Promise<QueueOutcome>

export interface QueueKeeperOptions {
  folder: Pick<ProducerFolder, 'producerId' | 'path'>
  fsync: boolean
  numbers: BatchNumbers
  queue: Pick<VisitQueue, 'add' | 'addDurably' | 'pack'>
  deliverer: Pick<Deliverer, 'deliver' | 'voidLater' | 'voided'>
  own: Pick<OwnSegments, 'addSent'>
  kept: Pick<KeptSegments, 'keep' | 'giveUp'>
  pool: Pool
  counters: KeptVisits
  log: Log
}

/** How long the queue, or the disk for a copy, is not tried again after a failure. */
const retryAfterMs = 250
/** Of batches without a file. At some 25 bytes a visit: more than a million visits. */
const maxHeldBytes = 32 * 1024 * 1024

export function createQueueKeeper(options: QueueKeeperOptions): KeepInQueue {
  const { fsync, numbers, queue, deliverer, own, kept, pool, counters, log } = options
  const { producerId, path: folder } = options.folder
  const copyHealth = createHealthLog(log, 'writing copies of queued visits to the spool')
  let queueRetryAt = 0
  let copyRetryAt = 0
  let heldBytes = 0

  async function keepInQueue(visits: Visit[], copy: Copy): Promise<QueueOutcome> {
    if (performance.now() < queueRetryAt || heldBytes > maxHeldBytes) return 'refused'
    const now = Date.now()
    const frames = encodeFrame(visits, now, new Map())
    const id: BatchId = { producerId, seq: numbers.next() }
    const path = copy === 'none' ? undefined : await writeCopy(id, frames)
    if (copy === 'required' && path === undefined) {
      giveBack(id)
      return 'refused'
    }
    try {
      const job = { ...id, frames: queue.pack(frames) }
      await (copy === 'none' ? queue.add(job) : queue.addDurably(job))
    } catch (error) {
      queueRetryAt = performance.now() + retryAfterMs
      if (path !== undefined) removeFile(path)
      const wasSent = !(error instanceof QueueNotReached || error instanceof QueueUnfit)
      if (wasSent) return decideByLedger(id, visits.length)
      giveBack(id)
      return 'refused'
    }
    counters.kept += visits.length
    const facts = { ...id, visits: visits.length, firstVisitAt: now }
    if (path === undefined) {
      const batch = batchInMemory(facts, frames, folder, kept)
      deliverer.deliver(held(batch, frames.length), { alreadySent: true })
    } else own.addSent({ ...facts, path, bytes: frames.length })
    return 'kept'
  }

  async function writeCopy({ seq }: BatchId, frames: Buffer): Promise<string | undefined> {
    if (performance.now() < copyRetryAt) return undefined
    const path = segmentPath(folder, seq, 'sealed')
    try {
      const written = writeSegment(path, frames, fsync)
      if (written !== undefined) await written
      if (copyHealth.failing()) copyHealth.works()
      return path
    } catch (error) {
      copyHealth.fails(error)
      copyRetryAt = performance.now() + retryAfterMs
      kept.giveUp()
      return undefined
    }
  }

  /** Nobody has seen the number, but a gap would hold up the ledger's watermark. */
  function giveBack(id: BatchId): void {
    if (!numbers.giveBack(id.seq)) deliverer.voidLater(id)
  }

  /** A 503 would be wrong if the batch is counted, a 307 if it is lost. */
  async function decideByLedger(id: BatchId, visits: number): Promise<QueueOutcome> {
    try {
      if (await voidBatch(pool, id)) {
        deliverer.voided(id)
        return 'refused'
      }
    } catch {
      deliverer.voidLater(id)
      return 'uncertain'
    }
    counters.kept += visits
    counters.countedAtOnce += visits
    return 'kept'
  }

  /** Counts its bytes for as long as it is in memory. */
  function held(batch: SealedBatch, bytes: number): SealedBatch {
    const { discard, setAside } = batch
    heldBytes += bytes
    return Object.assign(batch, {
      discard(epoch: string) {
        heldBytes -= bytes
        bytes = 0
        return discard(epoch)
      },
      setAside() {
        heldBytes -= bytes
        bytes = 0
        return setAside()
      },
    })
  }

  return keepInQueue
}
