/**
 * This process's own sealed segments, the twin of adopt-segments.ts: delivered at once while there is room, else later.
 *
 * Of a segment that waits, only what follows from its sealing stays in memory: some 60 bytes for up to 256 KiB on disk. One
 * whose file somebody has deleted before it was sealed is still in memory as a whole, and is delivered at once. Segments that
 * the ledger held and lost are offered again first: their number is bounded (kept-segments.ts).
 */
import { existsSync } from 'node:fs'
import type { Log } from '@hopcount/shared/log.ts'
import type { Deliverer } from '../delivery/deliver-batches.ts'
import type { ProducerFolder } from '../producer-folder.ts'
import { segmentPath } from '../producer-folder.ts'
import type { BatchSource, SealedBatch } from '../sealed-batch.ts'
import type { SealedSegment } from '../visit-spool.ts'
import { batchInMemory } from './batch-in-memory.ts'
import type { KeptBatch, KeptSegments } from './kept-segments.ts'
import type { SegmentBatchOptions } from './segment-batch.ts'
import { segmentBatch } from './segment-batch.ts'

export interface SentSegment {
  seq: number
  path: string
  bytes: number
  visits: number
  /** Milliseconds since 1970. */
  firstVisitAt: number
}

type WaitingSegment = Pick<SealedSegment, 'seq' | 'visits' | 'firstVisitAt'> & { wasSent?: boolean }

export interface OwnSegments {
  /** Takes a segment that was just sealed. Segments come in the order of their visits. */
  add(segment: SealedSegment): void
  /** Takes the segment of a batch that the queue has acknowledged. */
  addSent(segment: SentSegment): void
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
  const { producerId } = folder
  const waiting: WaitingSegment[] = []
  const again: KeptBatch[] = []

  function add(segment: SealedSegment): void {
    const { seq, visits, firstVisitAt, path, frames, onDisk } = segment
    if (!onDisk) {
      log.error(
        { visits },
        'a spool segment was deleted; its visits are in memory, and are delivered from there',
      )
      deliverer.deliver(batchInMemory({ producerId, seq, visits, firstVisitAt }, frames, folder.path, kept))
    } else if (waiting.length === 0 && deliverer.hasRoom()) {
      deliverer.deliver(ownBatch(seq, path, segment))
    } else waiting.push({ seq, visits, firstVisitAt })
  }

  function addSent({ seq, path, bytes, visits, firstVisitAt }: SentSegment): void {
    if (waiting.length === 0 && deliverer.hasRoom())
      deliverer.deliver(ownBatch(seq, path, { visits, firstVisitAt, bytes }), { alreadySent: true })
    else waiting.push({ seq, visits, firstVisitAt, wasSent: true })
  }

  function source(): SealedBatch | undefined {
    const offered = again.shift()
    if (offered !== undefined) {
      const { seq, visits, firstVisitAt } = offered
      const path = segmentPath(folder.path, seq, 'sealed')
      return Object.assign(ownBatch(seq, path, { visits, firstVisitAt }), { isOfferedAgain: true })
    }
    const next = waiting.shift()
    if (next === undefined) return undefined
    const sealed = segmentPath(folder.path, next.seq, 'sealed')
    // A segment that could not be renamed was sealed under its old name.
    const path = existsSync(sealed) ? sealed : segmentPath(folder.path, next.seq, 'open')
    const { wasSent = false } = next
    return Object.assign(ownBatch(next.seq, path, next), { wasSent })
  }

  function ownBatch(
    seq: number,
    path: string,
    known: NonNullable<SegmentBatchOptions['known']>,
  ): SealedBatch {
    return segmentBatch({ id: { producerId, seq }, folder: folder.path, path, log, onDamage, kept, known })
  }

  function firstWaitingAt(): number | undefined {
    const times = again.map(batch => batch.firstVisitAt)
    if (waiting[0] !== undefined) times.push(waiting[0].firstVisitAt)
    return times.length > 0 ? times.reduce((a, b) => Math.min(a, b)) : undefined
  }

  return {
    add,
    addSent,
    offerAgain: batches => again.push(...batches),
    source,
    waiting: () => waiting.length + again.length,
    firstWaitingAt,
    visitsAgain: () => again.reduce((sum, { visits }) => sum + visits, 0),
  }
}
