/** A sealed batch: an id and bytes that never change again, wherever they are kept. */
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'

export interface SealedBatch extends BatchId {
  visits: number
  /** How many visits this process has redirected with it: more than `visits` where the file was damaged; 0 if adopted. */
  redirected: number
  /** The queue has acknowledged it. */
  wasSent?: boolean
  /** The ledger held it before, and lost it. */
  isOfferedAgain?: boolean
  /** Milliseconds since 1970. */
  firstVisitAt: number
  /** It was set aside, and put back by an operator: what is pending does not include it, as it did not meanwhile. */
  isRetried?: boolean
  /**
   * Reads the sound frames. Undefined when the batch is gone: another process saw it recorded and deleted it.
   * The frames may lie in a buffer from `bufferOf`; they are valid until `bufferOf` is called again.
   */
  load(bufferOf: BufferOf): Promise<{ frames: Buffer; visits: number; firstVisitAt: number } | undefined>
  /**
   * How many visits its segment has, if that is sealed under its name in the producer's folder and nothing is known to be
   * wrong with it: then a job need not carry the frames.
   */
  refer(): number | undefined
  /** Lets the bytes go, or keeps them for a while (kept-segments.ts). Called only when the ledger of this epoch holds the batch. */
  discard(epoch: string): Promise<void>
  /** Keeps the bytes for an operator, out of delivery. Called when the worker refuses exactly these bytes. */
  setAside(): Promise<void>
}

/** Where the next batch comes from when there is room; undefined when there is none. */
export type BatchSource = () => SealedBatch | undefined

/** A buffer of exactly this many bytes, with arbitrary content. */
export type BufferOf = (bytes: number) => Buffer
