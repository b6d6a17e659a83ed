/**
 * This process's own sealed segments, the twin of adopt-segments.ts: delivered at once while there is room, else later.
 *
 * The backlog is a range of batch numbers, so it takes no more memory when it is long. Numbers in the range whose batch
 * went to the queue directly have no file: such a batch is found to be gone, and skipped. Segments that the ledger held and
 * lost are offered again first, from a list: their number is bounded (kept-segments.ts).
 */
import { existsSync } from 'node:fs'
import type { Log } from '@hopcount/shared/log.ts'
import type { Deliverer } from './deliver-batches.ts'
import type { KeptBatch, KeptSegments } from './kept-segments.ts'
import type { ProducerFolder } from './producer-folder.ts'
import { segmentPath } from './producer-folder.ts'
import type { BatchSource, SealedBatch } from './sealed-batch.ts'
import type { SegmentBatchOptions } from './segment-batch.ts'
import { segmentBatch } from './segment-batch.ts'
import type { SealedSegment } from './visit-spool.ts'

export interface OwnSegments {
  /** Takes a segment that was just sealed. Segments come in the order of their numbers. */
  add(segment: SealedSegment): void
  /** Takes segments that were recorded, and are sealed again because the ledger has lost them. */
  offerAgain(batches: KeptBatch[]): void
  source: BatchSource
  /** Segments that wait to be delivered. */
  waiting(): number
  /** None of their visits is older than this (milliseconds since 1970); undefined: none waits. */
  firstWaitingAt(): number | undefined
  /** The visits of those that wait to be delivered again. */
  visitsAgain(): number
}

export function createOwnSegments(options: {
  folder: Pick<ProducerFolder, 'producerId' | 'path'>
  deliverer: Pick<Deliverer, 'hasRoom' | 'deliver'>
  kept: Pick<KeptSegments, 'keep'>
  log: Log
  onDamage: (ranges: number) => void
}): OwnSegments {
  const { folder, deliverer, kept, log, onDamage } = options
  let firstWaiting = 1
  let lastWaiting = 0
  let notBefore = 0
  const again: KeptBatch[] = []

  const waitingInRange = () => lastWaiting - firstWaiting + 1

  function add(segment: SealedSegment): void {
    if (waitingInRange() === 0) {
      if (deliverer.hasRoom()) {
        deliverer.deliver(ownBatch(segment.seq, segment.path, segment))
        return
      }
      firstWaiting = segment.seq
      notBefore = segment.firstVisitAt
    }
    lastWaiting = segment.seq
  }

  function source(): SealedBatch | undefined {
    const offered = again.shift()
    if (offered !== undefined) {
      const { seq, visits, firstVisitAt } = offered
      const path = segmentPath(folder.path, seq, 'sealed')
      return Object.assign(ownBatch(seq, path, { visits, firstVisitAt }), { isOfferedAgain: true })
    }
    if (waitingInRange() === 0) return undefined
    const seq = firstWaiting++
    const sealed = segmentPath(folder.path, seq, 'sealed')
    // A segment that could not be renamed was sealed under its old name.
    return ownBatch(seq, existsSync(sealed) ? sealed : segmentPath(folder.path, seq, 'open'))
  }

  function ownBatch(seq: number, path: string, known?: SegmentBatchOptions['known']): SealedBatch {
    return segmentBatch({
      id: { producerId: folder.producerId, seq },
      folder: folder.path,
      path,
      log,
      onDamage,
      kept,
      ...(known ? { known } : { notBefore }),
      // Those that wait have higher numbers, so their visits are younger.
      onRead(firstVisitAt) {
        notBefore = Math.max(notBefore, firstVisitAt)
      },
    })
  }

  function firstWaitingAt(): number | undefined {
    const times = again.map(batch => batch.firstVisitAt)
    if (waitingInRange() > 0) times.push(notBefore)
    return times.length > 0 ? times.reduce((a, b) => Math.min(a, b)) : undefined
  }

  return {
    add,
    offerAgain: batches => again.push(...batches),
    source,
    waiting: () => waitingInRange() + again.length,
    firstWaitingAt,
    visitsAgain: () => again.reduce((sum, { visits }) => sum + visits, 0),
  }
}
