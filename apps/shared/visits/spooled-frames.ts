/**
 * Jobs that say where the frames of a batch are instead of carrying them. Where PostgreSQL carries the queue, API and worker
 * share SPOOL_DIR, and the bytes of a sealed segment never change: the worker reads the file.
 *
 * Such a job looks like one that is encrypted with a key that nobody has. A worker of a release that does not know of
 * segments returns it to the queue, as does one that can't read the file, and the producer then sends the frames.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BatchId, VisitJob } from './visit-batch.ts'

/** In place of a key's fingerprint, which has 16 hexadecimal digits. */
const spoolMark = 'spool'
/** The first byte says that it is encrypted (pack-frames.ts). */
const noFrames = Buffer.of(0x00).toString('base64')
/** As long as the frames of so many visits usually are when a job carries them. */
const packedCharactersPerVisit = 23

/** @param visits how many the segment has: with the checksums of its frames that tells whether the file is whole */
export function referToSegment({ producerId, seq }: BatchId, visits: number): VisitJob {
  return { producerId, seq, visits, frames: noFrames, key: spoolMark }
}

export function isInSpool({ key }: { key?: unknown }): boolean {
  return key === spoolMark
}

/** How much of a transaction the job takes, in characters of packed frames. */
export function packedLength({ frames, visits = 0 }: VisitJob): number {
  return frames.length + visits * packedCharactersPerVisit
}

/**
 * The bytes of the segment; undefined if this SPOOL_DIR does not have it. Read synchronously: it was written moments ago, so
 * that it is in memory, and a trip to the thread pool costs more.
 */
export function readSealedSegment(spoolDir: string, batch: BatchId): Buffer | undefined {
  // A recorded one may be kept for a while.
  return (
    readIfThere(segmentPath(join(spoolDir, batch.producerId), batch.seq, 'sealed')) ??
    readIfThere(segmentPath(join(spoolDir, batch.producerId), batch.seq, 'kept'))
  )
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

export function segmentPath(
  folder: string,
  seq: number,
  state: 'open' | 'sealed' | 'kept' | 'aside' | 'damaged',
): string {
  return join(folder, `${String(seq).padStart(12, '0')}.${state}`)
}
