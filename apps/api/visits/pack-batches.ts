/**
 * Reads and compresses batches for the queue, one at a time and redirects between them, into one buffer: a whole window
 * of them at once, when a process starts with a backlog, left it 26 MB larger for good (medians of 193 and 219 MB in one run).
 */
import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import type { SealedBatch } from './sealed-batch.ts'

/** As a rule a segment ends with the frame that reaches 256 KiB. A larger one has a buffer of its own. */
const bufferBytes = 320 * 1024

/** `pack` makes of frames what a job carries. Undefined: the batch is gone. */
export function createBatchPacker(
  pack: (frames: Buffer) => string,
): (batch: SealedBatch) => Promise<string | undefined> {
  let buffer: Buffer | undefined

  function bufferOf(bytes: number): Buffer {
    if (bytes > bufferBytes) return Buffer.allocUnsafeSlow(bytes)
    buffer ??= Buffer.allocUnsafeSlow(bufferBytes)
    return buffer.subarray(0, bytes)
  }

  async function loadAndPack(batch: SealedBatch | undefined): Promise<string | undefined> {
    const loaded = await batch?.load(bufferOf)
    if (batch === undefined || loaded === undefined) return undefined
    batch.visits = loaded.visits
    batch.firstVisitAt = loaded.firstVisitAt
    return pack(loaded.frames)
  }

  return createGroupCommit<SealedBatch, string | undefined>({
    maxWeight: 1,
    commit: async ([batch]) => [await loadAndPack(batch)],
  }).add
}
