import type { Comparison, Interval, Period } from '../../address.ts'

/** A range as requested from the API, and the intervals that suit it. */
export interface RequestedRange {
  period: Period
  interval: Interval
  intervals: Interval[]
  from: string
  /** Exclusive; undefined: until now. */
  to: string | undefined
  /** What it can be compared with. */
  comparisons: Comparison[]
  /** Of these the one that is. */
  compare: Comparison | undefined
}
