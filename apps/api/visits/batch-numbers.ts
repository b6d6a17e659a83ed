/**
 * The numbers of a producer's batches: 1, 2, 3 … without gaps, because the ledger replaces a producer's rows by one
 * watermark only up to the first gap.
 */
export interface BatchNumbers {
  next(): number
  /** The last number drawn; 0: none. */
  last(): number
  /** Takes back a number that nobody has seen. False when a later one has been drawn. */
  giveBack(seq: number): boolean
}

export function createBatchNumbers(): BatchNumbers {
  let last = 0
  return {
    next: () => ++last,
    last: () => last,
    giveBack(seq) {
      if (seq !== last) return false
      last--
      return true
    },
  }
}
