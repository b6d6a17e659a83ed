import { chmod, open, rename, unlink, writeFile } from 'node:fs/promises'
import type { Log } from '@hopcount/shared/log.ts'
import { soundFrames } from '@hopcount/shared/visits/decode-batch.ts'
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import { segmentPath } from '../producer-folder.ts'
import type { BufferOf, SealedBatch } from '../sealed-batch.ts'
import type { KeptSegments } from './kept-segments.ts'

/** What lies for long is readable by its owner only: it contains addresses. */
const privateMode = 0o600

export interface SegmentBatchOptions {
  id: BatchId
  folder: string
  path: string
  log: Log
  /** Called once with the number of damaged ranges, if the segment is found to be damaged. */
  onDamage: (ranges: number) => void
  /** Called before a segment is let go in which no visit can be read, though some were written. Repeated if it rejects. */
  onUnreadable?: (id: BatchId) => Promise<unknown>
  kept: Pick<KeptSegments, 'keep'>
  /** What the process that wrote the segment still knows. An adopted segment has to be read. */
  known?: { visits: number; firstVisitAt: number; frames?: Buffer; bytes?: number }
  /** The first visit of a segment that was not read yet is not older than this (milliseconds since 1970). */
  notBefore?: number
  /** Called with the first visit's time when the segment has been read. */
  onRead?: (firstVisitAt: number) => void
  isRetried?: boolean
}

/** A sealed segment file as a batch to deliver. Frames that are still in memory leave it with the first load; later loads read the file. */
export function segmentBatch(options: SegmentBatchOptions): SealedBatch {
  const {
    id,
    folder,
    path,
    log,
    onDamage,
    onUnreadable,
    kept,
    known,
    notBefore,
    onRead,
    isRetried = false,
  } = options
  let inMemory = known?.frames
  let size = known?.frames?.length ?? known?.bytes ?? 0

  async function load(bufferOf: BufferOf) {
    if (inMemory !== undefined) {
      const frames = inMemory
      inMemory = undefined
      return { frames, visits: batch.visits, firstVisitAt: batch.firstVisitAt }
    }
    const bytes = await readSegment(path, bufferOf).catch(absent)
    if (bytes === undefined) return undefined
    size = bytes.length
    const { frames, visits, firstVisitAt, damaged } = soundFrames(bytes)
    if (damaged.length > 0) await keepDamage(bytes, damaged)
    if (firstVisitAt === undefined) {
      if (damaged.length > 0) await onUnreadable?.(id)
      // Otherwise empty, or torn in its first write: none of its visits was redirected.
      await unlink(path).catch(absent)
      return undefined
    }
    onRead?.(firstVisitAt)
    return { frames, visits, firstVisitAt }
  }

  function refer(): number | undefined {
    return path === segmentPath(folder, id.seq, 'sealed') ? known?.visits : undefined
  }

  /** Keeps the damaged bytes beside the segment for an operator to look at. The sound frames are counted. */
  async function keepDamage(bytes: Buffer, ranges: { offset: number; length: number }[]): Promise<void> {
    const keptIn = segmentPath(folder, id.seq, 'damaged')
    try {
      await writeFile(keptIn, Buffer.concat(ranges.map(r => bytes.subarray(r.offset, r.offset + r.length))), {
        flag: 'wx',
        mode: privateMode,
      })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
      throw error
    }
    onDamage(ranges.length)
    log.error(
      { batch: batchKey(id), ranges, keptIn },
      'a spool segment is damaged; its sound visits are counted',
    )
  }

  const facts = () => ({ ...id, visits: batch.visits, firstVisitAt: batch.firstVisitAt })

  const batch: SealedBatch = {
    ...id,
    visits: known?.visits ?? 0,
    redirected: known?.visits ?? 0,
    firstVisitAt: known?.firstVisitAt ?? notBefore ?? Date.now(),
    isRetried,
    load,
    refer,
    discard: epoch => kept.keep({ ...facts(), folder, bytes: size }, epoch, { path }),
    setAside,
  }
  return batch

  async function setAside(): Promise<void> {
    const keptIn = segmentPath(folder, id.seq, 'aside')
    await rename(path, keptIn).catch(absent)
    // Of an older release it may be readable by others.
    await chmod(keptIn, privateMode).catch(absent)
  }
}

/** The size of a sealed segment is final. A read may return fewer bytes than requested (read(2)). */
async function readSegment(path: string, bufferOf: BufferOf): Promise<Buffer> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const bytes = bufferOf(size)
    let end = 0
    while (end < size) {
      const { bytesRead } = await file.read(bytes, end, size - end, end)
      if (bytesRead === 0) break
      end += bytesRead
    }
    return bytes.subarray(0, end)
  } finally {
    await file.close()
  }
}

/** Ignores ENOENT: another process may have adopted the same segment and deleted it when it was counted. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
