/** The median of several measurements, and their range. */
export interface Summary {
  median: number
  min: number
  max: number
  count: number
}

export function summarize(values: number[]): Summary {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  return {
    median: (percentile(sorted, 50) + percentile(sorted.toReversed(), 50)) / 2,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
    count: sorted.length,
  }
}

/** For values in ascending order; nearest rank. */
export function percentile(sorted: number[], percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length))
  return sorted[rank - 1] ?? Number.NaN
}

/** For values in any order. */
export function percentileOf(values: number[], percent: number): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    percent,
  )
}
