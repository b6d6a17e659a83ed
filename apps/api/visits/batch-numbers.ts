/**
 * The numbers of a producer's batches: 1, 2, 3 … without a gap, because the ledger replaces a producer's rows by one
 * watermark only as far as they are without a gap.
 */
export interface BatchNumbers {
  next(): number
  /** Takes back a number that nobody has seen. False when later ones are drawn already. */
  giveBack(seq: number): boolean
}

export function createBatchNumbers(): BatchNumbers {
  let last = 0
  return {
    next: () => ++last,
    giveBack(seq) {
      if (seq !== last) return false
      last--
      return true
    },
  }
}
