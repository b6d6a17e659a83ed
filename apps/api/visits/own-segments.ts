/**
 * This process's own sealed segments, the twin of adopt-segments.ts: delivered at once while there is room, else later.
 *
 * The backlog is a range of batch numbers, so it takes no more memory when it is long. Numbers in the range whose batch
 * went to the queue directly have no file: such a batch is found to be gone, and skipped.
 */
import { existsSync } from 'node:fs'
import type { Log } from '@hopcount/shared/log.ts'
import type { Deliverer } from './deliver-batches.ts'
import type { ProducerFolder } from './producer-folder.ts'
import { segmentPath } from './producer-folder.ts'
import type { BatchSource, SealedBatch } from './sealed-batch.ts'
import { segmentBatch } from './segment-batch.ts'
import type { SealedSegment } from './visit-spool.ts'

export interface OwnSegments {
  /** Takes a segment that was just sealed. Segments come in the order of their numbers. */
  add(segment: SealedSegment): void
  source: BatchSource
  /** Segments that wait to be delivered. */
  waiting(): number
  /** None of their visits is older than this (milliseconds since 1970); undefined: none waits. */
  firstWaitingAt(): number | undefined
}

export function createOwnSegments(options: {
  folder: Pick<ProducerFolder, 'producerId' | 'path'>
  deliverer: Pick<Deliverer, 'hasRoom' | 'deliver'>
  log: Log
  onDamage: (ranges: number) => void
}): OwnSegments {
  const { folder, deliverer, log, onDamage } = options
  let firstWaiting = 1
  let lastWaiting = 0
  let notBefore = 0

  const waiting = () => lastWaiting - firstWaiting + 1

  function add(segment: SealedSegment): void {
    if (waiting() === 0) {
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
    if (waiting() === 0) return undefined
    const seq = firstWaiting++
    const sealed = segmentPath(folder.path, seq, 'sealed')
    // A segment that could not be renamed was sealed under its old name.
    return ownBatch(seq, existsSync(sealed) ? sealed : segmentPath(folder.path, seq, 'open'))
  }

  function ownBatch(seq: number, path: string, known?: SealedSegment): SealedBatch {
    return segmentBatch({
      id: { producerId: folder.producerId, seq },
      folder: folder.path,
      path,
      log,
      onDamage,
      ...(known ? { known } : { notBefore }),
      // Those that wait have higher numbers, so their visits are younger.
      onRead(firstVisitAt) {
        notBefore = Math.max(notBefore, firstVisitAt)
      },
    })
  }

  return { add, source, waiting, firstWaitingAt: () => (waiting() > 0 ? notBefore : undefined) }
}
