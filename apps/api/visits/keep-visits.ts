/**
 * What happens to the visits of one event-loop turn before their redirects may be sent:
 *
 *   the spool takes them                        → kept
 *   else the queue takes them, as a batch       → kept; the bytes stay in memory until the ledger holds them
 *   else, where the queue never saw the batch   → refused
 *   else, where its reply was lost: the ledger decides. It holds the batch → kept; it takes it as void → refused;
 *                                 it can't be read → uncertain
 *
 * refused:   VisitRefused (503). With VISIT_LOSS=allow the redirect goes out and the loss is counted.
 * uncertain: VisitUncertain. The visit may or may not be counted, so neither 307 nor 503 would be true. With
 *            VISIT_LOSS=allow it is treated as refused.
 */
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { BatchId, Visit } from '@hopcount/shared/visits/visit-batch.ts'
import { encodeFrame } from '@hopcount/shared/visits/visit-batch.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import { QueueNotReached } from '@hopcount/shared/visits/visit-queue.ts'
import { voidBatch } from '@hopcount/shared/visits/void-batch.ts'
import type { Pool } from 'pg'
import { batchInMemory } from './batch-in-memory.ts'
import type { BatchNumbers } from './batch-numbers.ts'
import type { Deliverer } from './deliver-batches.ts'
import type { KeptSegments } from './kept-segments.ts'
import type { ProducerFolder } from './producer-folder.ts'
import type { VisitSpool } from './visit-spool.ts'

export class VisitRefused extends Error {}
export class VisitUncertain extends Error {}

/** Visits by what became of them. */
export interface KeptVisits {
  kept: number
  /** Of those kept: the ones that the ledger already held before their redirect was sent. */
  countedAtOnce: number
  refused: number
  lost: number
}

/** How long the spool, or the queue in its place, is not tried again after a failure. */
const retryAfterMs = 250
const nothing: never[] = []

/** Commits the visits of a turn, for group commit. Returns a promise only where it has to wait. */
export type KeepVisits = (visits: Visit[]) => never[] | Promise<never[]>

export function createVisitKeeper(options: {
  folder: Pick<ProducerFolder, 'producerId' | 'path'>
  numbers: BatchNumbers
  spool: Pick<VisitSpool, 'append'>
  queue: Pick<VisitQueue, 'add' | 'pack'>
  deliverer: Pick<Deliverer, 'deliver' | 'voidLater'>
  kept: Pick<KeptSegments, 'keep' | 'giveUp'>
  pool: Pool
  allowLoss: boolean
  /** Called after a failed write to the spool; resolves with true if the next one may succeed. Never rejects. */
  restoreSpool: () => Promise<boolean>
  counters: KeptVisits
  log: Log
}): KeepVisits {
  const { folder, numbers, spool, queue, deliverer, pool, allowLoss, restoreSpool, counters, log } = options
  const { producerId } = folder
  const spoolHealth = createHealthLog(log, 'writing the spool')
  const lossHealth = createHealthLog(log, 'keeping visits (neither the spool nor the queue takes them)')
  let spoolRetryAt = 0
  let queueRetryAt = 0

  function keep(visits: Visit[]): never[] | Promise<never[]> {
    if (performance.now() < spoolRetryAt) return keepInQueue(visits)
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
    counters.kept += visits.length
    if (spoolHealth.failing()) spoolHealth.works()
    return nothing
  }

  async function spoolFailed(error: unknown, visits: Visit[]): Promise<never[]> {
    spoolHealth.fails(error)
    spoolRetryAt = performance.now() + retryAfterMs
    if (await restoreSpool()) {
      spoolRetryAt = 0
      return keep(visits)
    }
    options.kept.giveUp()
    return keepInQueue(visits)
  }

  async function keepInQueue(visits: Visit[]): Promise<never[]> {
    if (performance.now() < queueRetryAt) return refuse(visits)
    const now = Date.now()
    const frames = encodeFrame(visits, now, new Map())
    const id: BatchId = { producerId, seq: numbers.next() }
    try {
      await queue.add({ ...id, frames: queue.pack(frames) })
    } catch (error) {
      queueRetryAt = performance.now() + retryAfterMs
      if (!(error instanceof QueueNotReached)) return decideByLedger(id, visits)
      // Nobody has seen the number, but a gap would hold up the ledger's watermark.
      if (!numbers.giveBack(id.seq)) deliverer.voidLater(id)
      return refuse(visits)
    }
    const facts = { ...id, visits: visits.length, firstVisitAt: now }
    deliverer.deliver(batchInMemory(facts, frames, folder.path, options.kept), { alreadySent: true })
    counters.kept += visits.length
    lossHealth.works()
    return nothing
  }

  /** Nobody knows whether the queue has the batch: a 503 would be wrong if it is counted, a 307 if it is lost. */
  async function decideByLedger(id: BatchId, visits: Visit[]): Promise<never[]> {
    let isVoid: boolean
    try {
      isVoid = await voidBatch(pool, id)
    } catch (error) {
      deliverer.voidLater(id)
      if (allowLoss) return refuse(visits)
      lossHealth.fails(error)
      throw new VisitUncertain('the queue may hold the visit, and the ledger cannot be read')
    }
    if (isVoid) return refuse(visits)
    counters.kept += visits.length
    counters.countedAtOnce += visits.length
    return nothing
  }

  function refuse(visits: Visit[]): never[] {
    lossHealth.fails(allowLoss ? 'redirecting anyway (VISIT_LOSS=allow)' : 'refusing redirects')
    if (allowLoss) {
      counters.lost += visits.length
      return nothing
    }
    counters.refused += visits.length
    throw new VisitRefused('the visit can be kept neither in the spool nor in the queue')
  }

  return keep
}
