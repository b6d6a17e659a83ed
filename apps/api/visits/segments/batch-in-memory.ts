import type { SealedBatch } from '../sealed-batch.ts'
import type { KeptSegments } from './kept-segments.ts'

/** A batch that has no file: its frames stay here until the deliverer is done with it. */
export function batchInMemory(
  facts: Pick<SealedBatch, 'producerId' | 'seq' | 'visits' | 'firstVisitAt'>,
  frames: Buffer,
  folder: string,
  kept: Pick<KeptSegments, 'keep'>,
): SealedBatch {
  return {
    ...facts,
    redirected: facts.visits,
    refer: () => undefined,
    load: async () => ({ frames, ...facts }),
    discard: epoch => kept.keep({ ...facts, folder, bytes: frames.length }, epoch, { frames }),
    setAside: async () => {},
  }
}
