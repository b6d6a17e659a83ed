/** What an API process knows of visits that are not recorded yet: its own, and those that dead producers have left. */
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import type { Deliverer } from './delivery/deliver-batches.ts'
import type { KeptVisits } from './keep-in-queue.ts'
import type { SealedBatch } from './sealed-batch.ts'
import type { Adoption } from './segments/adopt-segments.ts'
import type { KeptSegments } from './segments/kept-segments.ts'
import type { OwnSegments } from './segments/own-segments.ts'
import type { VisitSpool } from './visit-spool.ts'
import { maxSegmentVisits } from './visit-spool.ts'

export interface PendingVisits {
  /** Visits redirected or adopted by this process that are not known to be recorded. */
  visits: number
  /** Batches in the queue's window, and sealed segments that wait behind it. */
  batches: number
  waitingSegments: number
  /** Every visit redirected or adopted by this process from before this moment (milliseconds since 1970) is recorded. */
  recordedUpTo: number
}

export interface AdoptedVisits {
  producerId: string
  /** Visits not known to be recorded, as far as segments have been read. */
  visits: number
  /** The same, with every other segment taken to be full. */
  pendingAtMost: number
}

export interface PendingCounter {
  pending(): PendingVisits
  /** As `pending().recordedUpTo`, or earlier where the database may have lost what it had recorded. */
  recordedUntil(): number
  /** Visits redirected by this process that are not known to be recorded. */
  ownPending(): number
  /** The dead producers whose segments this process delivers, or has just delivered. */
  adopted(): AdoptedVisits[]
  /** A batch has left the deliverer: counted, set aside, or lost. Returns true if nothing is pending any more. */
  settle(batch: SealedBatch): boolean
}

export function createPendingCounter(options: {
  producerId: string
  counters: KeptVisits
  deliverer: Pick<Deliverer, 'pending'>
  own: OwnSegments
  adoption: Adoption
  kept: Pick<KeptSegments, 'firstDoubtfulAt'>
  spool: Pick<VisitSpool, 'unsealed'>
  /** Since when visits are on their way to the queue directly, or to a slow disk. */
  committingSince: () => number | undefined
}): PendingCounter {
  const { producerId, counters, deliverer, own, adoption, kept, spool, committingSince } = options
  /** Visits of this process's own batches that left the deliverer for the first time. */
  let settled = 0

  const isOwn = (batch: BatchId) => batch.producerId === producerId
  const unsettled = () => counters.kept - counters.countedAtOnce - settled

  function settle(batch: SealedBatch): boolean {
    if (!batch.isOfferedAgain) settled += batch.redirected
    // The whole window is only looked through when it may be empty.
    return unsettled() === 0 && pending().visits === 0
  }

  function pending(): PendingVisits {
    const adopted = deliverer.pending(batch => !isOwn(batch) && !batch.isRetried)
    const all = deliverer.pending(batch => !batch.isRetried)
    const firstVisits = [
      all.firstVisitAt,
      spool.unsealed().firstVisitAt,
      own.firstWaitingAt(),
      adoption.firstWaitingAt(),
      committingSince(),
    ].filter(time => time !== undefined)
    return {
      visits: ownPending() + adopted.visits,
      batches: all.batches,
      waitingSegments: own.waiting() + adoption.waiting(),
      recordedUpTo: Math.min(Date.now(), ...firstVisits),
    }
  }

  function recordedUntil(): number {
    return Math.min(pending().recordedUpTo, kept.firstDoubtfulAt() ?? Number.POSITIVE_INFINITY)
  }

  function ownPending(): number {
    const again = deliverer.pending(batch => isOwn(batch) && batch.isOfferedAgain === true)
    return unsettled() + again.visits + own.visitsAgain()
  }

  function adopted(): AdoptedVisits[] {
    return adoption.states().map(({ producerId, waiting }) => {
      let unread = waiting
      const { visits } = deliverer.pending(batch => {
        if (batch.producerId !== producerId || batch.isRetried) return false
        if (batch.visits === 0) unread++
        return true
      })
      return { producerId, visits, pendingAtMost: visits + unread * maxSegmentVisits }
    })
  }

  return { pending, recordedUntil, ownPending, adopted, settle }
}
