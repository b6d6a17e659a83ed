/** What a part of the benchmark is, and what it gives back. */
import type { Cores } from './cores.ts'
import type { Summary } from './summary.ts'

export interface BenchSettings {
  rounds: number
  /** Of one measurement under load. */
  seconds: number
  /** Links of the large data sets. */
  links: number
  /** Visits of the large data set of `stats`. */
  visits: number
  /** Visits that wait in `memory`. */
  waiting: number
  /** Visits in the queue, per round of `worker` and `two-workers`. */
  queued: number
  /** Starts of an API process in `start`. */
  starts: number
  cores: Cores
  say: (text: string) => void
}

export interface BenchPart {
  /** One line: what is measured against what. */
  title: string
  run(settings: BenchSettings): Promise<PartResult>
}

export interface PartResult {
  goals: Goal[]
  tables: Table[]
  plot: Plot
  /** How it was measured, which core had what, and what a reader could misunderstand. */
  notes: string[]
}

export interface Goal {
  what: string
  /** Undefined where it could not be measured; the notes say why. */
  measured: number | undefined
  must: 'at least' | 'at most'
  bound: number
  unit: '×' | 'ms' | 'MB' | 'bytes' | '/s' | 's' | ''
}

export interface Table {
  title: string
  columns: string[]
  rows: { what: string; cells: Cell[] }[]
}

/** A text as it is, or a median with its spread. */
export type Cell = string | Summary | undefined

export interface Plot {
  title: string
  unit: string
  bars: { label: string; value: Summary }[]
}

export function isReached(goal: Goal): boolean {
  if (goal.measured === undefined) return false
  return goal.must === 'at least' ? goal.measured >= goal.bound : goal.measured <= goal.bound
}
