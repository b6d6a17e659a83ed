/**
 * Recording a visit, as the redirect sees it: record() resolves once the visit is durable, and only then may the 307 go out.
 *
 * The spool comes first. Where it can't be written, the visits of the turn go to the queue as a batch of their own and
 * count as durable when the queue has acknowledged it (the bytes stay in memory until the ledger holds them). Where
 * the queue can't be reached either, record() rejects with VisitRefused, unless VISIT_LOSS=allow: then it resolves,
 * and the loss is counted. Where the queue's answer was lost, the ledger decides: it holds the batch, or takes it in as
 * void. Where that can't be asked either, nobody knows, and record() rejects with VisitUncertain: no answer is true.
 */

import { existsSync } from 'node:fs'
import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { BatchId, Visit } from '@hopcount/shared/visits/visit-batch.ts'
import { encodeFrame } from '@hopcount/shared/visits/visit-batch.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import { QueueNotReached } from '@hopcount/shared/visits/visit-queue.ts'
import type { Pool } from 'pg'
import { createAdoption } from './adopt-segments.ts'
import { createDeliverer } from './deliver-batches.ts'
import { voidBatch } from './ledger-queries.ts'
import { openProducerFolder, segmentPath } from './producer-folder.ts'
import type { SealedBatch } from './sealed-batch.ts'
import { segmentBatch } from './segment-batch.ts'
import type { SealedSegment } from './visit-spool.ts'
import { createVisitSpool } from './visit-spool.ts'

export class VisitRefused extends Error {}
export class VisitUncertain extends Error {}

export interface VisitRecorder {
  record(visit: Visit): Promise<void>
  pending(): PendingVisits
  counters: VisitCounters
  /** Seals what is open, tries for a moment to deliver it, and closes; what remains is adopted by the next process. */
  close(deliverWithinMs: number): Promise<void>
}

export interface PendingVisits {
  /** Visits answered by this process, or adopted by it, that are not known to be recorded. */
  visits: number
  /** Batches in the queue's window, and sealed segments that wait behind it. */
  batches: number
  waitingSegments: number
  /** Every visit answered by this process before this moment (milliseconds since 1970) is recorded. */
  recordedUpTo: number
}

export interface VisitCounters {
  recorded: number
  refused: number
  lost: number
  damagedRanges: number
  batchesSetAside: number
}

const sweepEveryMs = 5_000
/** After the spool (or the queue, as its substitute) has failed: how long it is not asked again. */
const retryAfterMs = 250
const nothing: never[] = []

export async function openVisitRecorder(options: {
  spoolDir: string
  fsync: boolean
  allowLoss: boolean
  queue: VisitQueue
  pool: Pool
  log: Log
}): Promise<VisitRecorder> {
  const { queue, log, spoolDir } = options
  const folder = await openProducerFolder(spoolDir)
  const { producerId } = folder
  const counters: VisitCounters = { recorded: 0, refused: 0, lost: 0, damagedRanges: 0, batchesSetAside: 0 }
  const spoolHealth = createHealthLog(log, 'writing the spool')
  const lossHealth = createHealthLog(log, 'keeping visits (neither spool nor queue takes them)')
  let lastSeq = 0
  let spoolRetryAt = 0
  let queueRetryAt = 0

  const onDamage = (ranges: number) => {
    counters.damagedRanges += ranges
  }
  const deliverer = createDeliverer({
    queue,
    pool: options.pool,
    log,
    onSetAside: () => counters.batchesSetAside++,
  })
  /** This process's sealed segments behind the window: a range of numbers, however long the backlog. */
  const backlog = { from: 1, to: 0 }
  /** Of the visits in `counters.recorded`: those known to be in the ledger, or set aside. */
  let settled = 0
  const spool = createVisitSpool({
    folder: folder.path,
    fsync: options.fsync,
    nextSeq: () => ++lastSeq,
    hasRoom: deliverer.hasRoom,
    onSealed,
  })
  const adoption = createAdoption({ spoolDir, ownProducerId: producerId, deliverer, log, onDamage })
  deliverer.addSource(nextOfBacklog)
  deliverer.addSource(adoption.source)
  await adoption.sweep()
  const sweepTimer = setInterval(() => void adoption.sweep(), sweepEveryMs)

  const commits = createGroupCommit<Visit, void>({ commit: keep })

  function keep(visits: Visit[]): never[] | Promise<never[]> {
    if (Date.now() < spoolRetryAt) return keepInQueue(visits)
    try {
      const appended = spool.append(visits)
      if (appended === undefined) return kept(visits)
      return appended.then(
        () => kept(visits),
        error => spoolFailed(error, visits),
      )
    } catch (error) {
      return spoolFailed(error, visits)
    }
  }

  function kept(visits: Visit[]): never[] {
    counters.recorded += visits.length
    if (spoolHealth.failing()) spoolHealth.works()
    return nothing
  }

  function spoolFailed(error: unknown, visits: Visit[]): Promise<never[]> {
    spoolHealth.fails(error)
    spoolRetryAt = Date.now() + retryAfterMs
    return keepInQueue(visits)
  }

  async function keepInQueue(visits: Visit[]): Promise<never[]> {
    if (Date.now() < queueRetryAt) return refuse(visits)
    const now = Date.now()
    const frames = encodeFrame(visits, now, new Map())
    const id: BatchId = { producerId, seq: ++lastSeq }
    try {
      await queue.add({ ...id, frames: queue.pack(frames) })
    } catch (error) {
      queueRetryAt = Date.now() + retryAfterMs
      if (!(error instanceof QueueNotReached)) return decideByLedger(id, visits)
      // The number was never seen by anyone, but it must not leave a gap.
      if (lastSeq === id.seq) lastSeq--
      else deliverer.voidBatch(id)
      return refuse(visits)
    }
    const batch: SealedBatch = {
      ...id,
      visits: visits.length,
      firstVisitAt: now,
      load: async () => ({ frames, visits: visits.length, firstVisitAt: now }),
      discard: async () => settle(batch),
      setAside: async () => settle(batch),
    }
    deliverer.deliver(batch, { alreadySent: true })
    counters.recorded += visits.length
    lossHealth.works()
    return nothing
  }

  /** Nobody knows whether the queue has the batch. A 503 would be wrong where it was counted, a 307 where it is lost. */
  async function decideByLedger(id: BatchId, visits: Visit[]): Promise<never[]> {
    let isVoid: boolean
    try {
      isVoid = await voidBatch(options.pool, id)
    } catch (error) {
      deliverer.voidBatch(id)
      if (options.allowLoss) return refuse(visits)
      lossHealth.fails(error)
      throw new VisitUncertain('the queue may hold the visit, and the ledger can not be asked')
    }
    if (isVoid) return refuse(visits)
    counters.recorded += visits.length
    settled += visits.length
    return nothing
  }

  function refuse(visits: Visit[]): never[] {
    lossHealth.fails(options.allowLoss ? 'redirecting all the same (VISIT_LOSS=allow)' : 'refusing redirects')
    if (options.allowLoss) {
      counters.lost += visits.length
      return nothing
    }
    counters.refused += visits.length
    throw new VisitRefused('the visit can be kept neither in the spool nor in the queue')
  }

  function onSealed(segment: SealedSegment): void {
    if (deliverer.hasRoom() && backlog.from > backlog.to) {
      deliverer.deliver(ownBatch(segment.seq, segment.path, segment))
      return
    }
    if (backlog.from > backlog.to) backlog.from = segment.seq
    backlog.to = segment.seq
  }

  /** Numbers of batches that went past the spool have no file; their load() finds nothing and they are skipped. */
  function nextOfBacklog(): SealedBatch | undefined {
    if (backlog.from > backlog.to) return undefined
    const seq = backlog.from++
    const sealed = segmentPath(folder.path, seq, 'sealed')
    // Where a segment could not be renamed, it is sealed under its old name.
    return ownBatch(seq, existsSync(sealed) ? sealed : segmentPath(folder.path, seq, 'open'))
  }

  function ownBatch(seq: number, path: string, known?: SealedSegment): SealedBatch {
    const batch = segmentBatch({
      id: { producerId, seq },
      folder: folder.path,
      path,
      log,
      onDamage,
      ...(known && { known }),
    })
    const { discard, setAside } = batch
    batch.discard = () => discard().then(() => settle(batch))
    batch.setAside = () => setAside().then(() => settle(batch))
    return batch
  }

  function settle(batch: SealedBatch): void {
    settled += batch.visits
  }

  function pending(): PendingVisits {
    const adopted = deliverer.pending(batch => batch.producerId !== producerId)
    const all = deliverer.pending()
    const unsealed = spool.unsealed()
    const waitingSegments = Math.max(0, backlog.to - backlog.from + 1) + adoption.waiting()
    return {
      visits: counters.recorded - settled + adopted.visits,
      batches: all.batches,
      waitingSegments,
      recordedUpTo: Math.min(all.firstVisitAt ?? Date.now(), unsealed.firstVisitAt ?? Date.now()),
    }
  }

  async function close(deliverWithinMs: number): Promise<void> {
    await commits.idle()
    clearInterval(sweepTimer)
    spool.seal()
    deliverer.fill()
    await deliverer.stop(deliverWithinMs)
    await folder.close()
  }

  return { record: commits.add, pending, counters, close }
}
