/**
 * The spool: appends visits to segment files of this producer, so that they survive the death of the process.
 *
 * append() is called once per event-loop turn with all visits of that turn (group commit). When it returns (with fsync:
 * when its promise resolves) the visits are durable, and their redirects may go out. When it throws, none of them is
 * durable: the segment is truncated to its last whole frame and sealed, and the caller decides what to do.
 *
 * A segment is sealed (its bytes never change again) `sealAfterMs` after its first visit, or later while visits come
 * without a pause: `sealEveryMs` after the one before it. While the queue has no room it grows to its maximum size
 * instead, so a backlog consists of a few large segments. Sealed segments go to `onSealed` in the order of their numbers.
 *
 * The write is synchronous on purpose: 54.9k redirects/s measured, against 47.9k through the thread pool. The price is
 * that a stalling disk stalls the process. With fsync the write goes through the thread pool, and returns when the data
 * is on disk.
 */
import {
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  openSync,
  renameSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { BatchTexts, Visit } from '@hopcount/shared/visits/visit-batch.ts'
import { encodeFrameForNow } from '@hopcount/shared/visits/visit-batch.ts'
import { segmentPath } from './producer-folder.ts'

export interface SealedSegment {
  seq: number
  path: string
  visits: number
  /** Milliseconds since 1970. */
  firstVisitAt: number
  /** The content of the file. */
  frames: Buffer
  /** False where somebody has deleted the file. */
  onDisk: boolean
}

export interface VisitSpool {
  append(visits: Visit[]): void | Promise<void>
  /** Seals the open segment now. Must not be called during an append. */
  seal(): void
  /** What the open segment holds, and its number; without one the number that is set apart for the next. */
  unsealed(): { visits: number; firstVisitAt: number | undefined; seq: number | undefined }
}

export interface VisitSpoolOptions {
  folder: string
  fsync: boolean
  nextSeq: () => number
  onSealed: (segment: SealedSegment) => void
  /** Whether the window has room for another batch. */
  hasRoom: () => boolean
  sealAfterMs?: number
  sealEveryMs?: number
  maxSegmentBytes?: number
  maxSegmentVisits?: number
}

interface OpenSegment {
  seq: number
  fd: number
  path: string
  bytes: number
  visits: number
  firstVisitAt: number
  texts: BatchTexts
}

const writeAsync = promisify(write)

export const maxSegmentVisits = 16_000

/**
 * Each segment is a file, a job and, for a worker that keeps up, a transaction. Measured at 4,000 redirects/s with all
 * parts on one core, alternating rounds, CPU time per visit: sealed every 50 ms the worker takes 39–49 µs and PostgreSQL
 * 51–71; every 150 ms, with the worker's own spacing (record-jobs.ts), 22–32 and 39–46. 200 ms save little more.
 */
const defaultSealEveryMs = 150

export function createVisitSpool(options: VisitSpoolOptions): VisitSpool {
  const { folder, sealAfterMs = 50, sealEveryMs = defaultSealEveryMs, maxSegmentBytes = 256 * 1024 } = options
  const maxVisits = options.maxSegmentVisits ?? maxSegmentVisits
  // With O_DSYNC a write returns when its data is on disk (open(2)): one trip to the thread pool instead of two.
  const openFlags =
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (options.fsync ? constants.O_DSYNC : 0)
  let segment: OpenSegment | undefined
  /**
   * The bytes of the open segment's file; the next segment reuses the buffer. A Buffer per frame outlived the young
   * generation, so the old one was collected every few seconds, by threads that compete with ours for a single core.
   * Measured alternately at 20,000 redirects/s, nine rounds: p99 4 ms instead of 29.
   */
  let memory = Buffer.allocUnsafeSlow(32 * 1024)
  /** The number of a file that could not be used. It is used next, so that there is no gap. */
  let spareSeq: number | undefined
  let appending = false
  let sealTimer: NodeJS.Timeout | undefined
  let lastSealedAt = Number.NEGATIVE_INFINITY

  function append(visits: Visit[]): void | Promise<void> {
    const now = Date.now()
    const current = segment ?? openSegment(now)
    const end = hold(encodeFrameForNow(visits, now, current.texts), current.bytes)
    if (options.fsync) return appendDurably(current, end, visits.length)
    try {
      // write(2) may write fewer bytes than it was given; only the next call returns the reason as an error.
      for (let at = current.bytes; at < end; ) at += writeSync(current.fd, memory, at, end - at, at)
    } catch (error) {
      abandonFrame(current)
      throw error
    }
    appended(current, end, visits.length)
  }

  /** Copies the frame to `memory`. Returns where it ends, there and in the file. */
  function hold(frame: Buffer, offset: number): number {
    const end = offset + frame.length
    if (end > memory.length) {
      const larger = Buffer.allocUnsafeSlow(2 * end)
      larger.set(memory.subarray(0, offset))
      memory = larger
    }
    memory.set(frame, offset)
    return end
  }

  async function appendDurably(current: OpenSegment, end: number, visits: number): Promise<void> {
    appending = true
    try {
      for (let at = current.bytes; at < end; )
        at += (await writeAsync(current.fd, memory, at, end - at, at)).bytesWritten
      // The name of a new file is durable only once its folder is synced (fsync(2)).
      if (current.visits === 0) await syncFolder()
    } catch (error) {
      appending = false
      abandonFrame(current)
      throw error
    }
    appending = false
    appended(current, end, visits)
  }

  function appended(current: OpenSegment, end: number, visits: number): void {
    current.bytes = end
    current.visits += visits
    if (current.bytes >= maxSegmentBytes || current.visits >= maxVisits) seal()
    else sealTimer ??= setTimeout(sealWhenDue, sealInMs())
  }

  function sealInMs(): number {
    return Math.max(sealAfterMs, lastSealedAt + sealEveryMs - performance.now())
  }

  function sealWhenDue(): void {
    sealTimer = undefined
    if (segment === undefined || segment.visits === 0) return
    if (appending || !options.hasRoom()) sealTimer = setTimeout(sealWhenDue, sealAfterMs)
    else seal()
  }

  function openSegment(now: number): OpenSegment {
    const seq = spareSeq ?? options.nextSeq()
    spareSeq = seq
    const path = segmentPath(folder, seq, 'open')
    const fd = openSync(path, openFlags, 0o600)
    spareSeq = undefined
    segment = { seq, fd, path, bytes: 0, visits: 0, firstVisitAt: now, texts: new Map() }
    return segment
  }

  /** Cuts off what a failed write left behind. If that fails too, readers recognise the torn frame by its length. */
  function abandonFrame(current: OpenSegment): void {
    try {
      ftruncateSync(current.fd, current.bytes)
    } catch {}
    if (current.visits > 0) {
      seal()
      return
    }
    segment = undefined
    spareSeq = current.seq
    closeSync(current.fd)
    try {
      unlinkSync(current.path)
    } catch {}
  }

  function seal(): void {
    const current = segment
    if (current === undefined || current.visits === 0) return
    segment = undefined
    clearTimeout(sealTimer)
    sealTimer = undefined
    lastSealedAt = performance.now()
    closeSync(current.fd)
    let path = segmentPath(folder, current.seq, 'sealed')
    let onDisk = true
    try {
      renameSync(current.path, path)
    } catch {
      // Sealed under its old name: this process no longer writes to it, and an adopter seals it as it is.
      path = current.path
      onDisk = existsSync(path)
    }
    options.onSealed({ ...current, path, frames: Buffer.from(memory.subarray(0, current.bytes)), onDisk })
  }

  async function syncFolder(): Promise<void> {
    const handle = await openFile(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  return {
    append,
    seal,
    unsealed: () => ({
      visits: segment?.visits ?? 0,
      firstVisitAt: segment?.firstVisitAt,
      seq: segment?.seq ?? spareSeq,
    }),
  }
}
