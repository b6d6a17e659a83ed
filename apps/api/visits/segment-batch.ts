import { open, rename, unlink, writeFile } from 'node:fs/promises'
import type { Log } from '@hopcount/shared/log.ts'
import { soundFrames } from '@hopcount/shared/visits/decode-batch.ts'
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import { segmentPath } from './producer-folder.ts'
import type { BufferOf, SealedBatch } from './sealed-batch.ts'

export interface SegmentBatchOptions {
  id: BatchId
  folder: string
  path: string
  log: Log
  /** Called with the number of damaged ranges when a segment turns out to be damaged. */
  onDamage: (ranges: number) => void
  /** What the process that wrote the segment still knows; a stranger's segment is read first. */
  known?: { visits: number; firstVisitAt: number; frames: Buffer }
}

/** A sealed segment file as a batch to deliver. Its frames leave memory with the first load: later ones read the file. */
export function segmentBatch({ id, folder, path, log, onDamage, known }: SegmentBatchOptions): SealedBatch {
  let inMemory = known?.frames

  async function load(bufferOf: BufferOf) {
    if (inMemory !== undefined) {
      const frames = inMemory
      inMemory = undefined
      return { frames, visits: batch.visits, firstVisitAt: batch.firstVisitAt }
    }
    const bytes = await readSegment(path, bufferOf).catch(absent)
    if (bytes === undefined) return undefined
    const { frames, visits, firstVisitAt, damaged } = soundFrames(bytes)
    if (damaged.length > 0) await keepDamage(bytes, damaged)
    if (firstVisitAt === undefined) {
      // Created or torn before its first visit was answered: there is nothing to count.
      await unlink(path).catch(absent)
      return undefined
    }
    return { frames, visits, firstVisitAt }
  }

  /** The bytes that are no frame are kept beside the segment, for somebody to look at; the sound frames are counted. */
  async function keepDamage(bytes: Buffer, ranges: { offset: number; length: number }[]): Promise<void> {
    const keptIn = segmentPath(folder, id.seq, 'damaged')
    try {
      await writeFile(keptIn, Buffer.concat(ranges.map(r => bytes.subarray(r.offset, r.offset + r.length))), {
        flag: 'wx',
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

  const batch: SealedBatch = {
    ...id,
    visits: known?.visits ?? 0,
    firstVisitAt: known?.firstVisitAt ?? Date.now(),
    load,
    discard: () => unlink(path).catch(absent),
    setAside: () => rename(path, segmentPath(folder, id.seq, 'aside')).catch(absent),
  }
  return batch
}

/** A sealed segment no longer grows; a read may return less than it was asked for (read(2)). */
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

/** Another process may have adopted, counted and deleted the same segment. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
