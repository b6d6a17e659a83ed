/** A part of the benchmark and its result. */
import type { Cores } from './cores.ts'
import type { Summary } from './summary.ts'

export interface BenchSettings {
  rounds: number
  /** The length of one measurement under load. */
  seconds: number
  /** Links of the large data sets. */
  links: number
  /** Visits of the large data set of `stats`. */
  visits: number
  /** Waiting visits in `memory`. */
  waiting: number
  /** Visits in the queue, per round of `worker` and `two-workers`. */
  queued: number
  /** Starts of an API process in `start`. */
  starts: number
  cores: Cores
  say: (text: string) => void
}

export interface BenchPart {
  /** One line: what is compared with what. */
  title: string
  run(settings: BenchSettings): Promise<PartResult>
}

export interface PartResult {
  goals: Goal[]
  tables: Table[]
  plot: Plot
  /** How it was measured, what ran on which core, and what readers might misunderstand. */
  notes: string[]
}

export interface Goal {
  what: string
  /** Undefined if it could not be measured; the notes say why. */
  measured: number | undefined
  must: 'at least' | 'at most'
  bound: number
  unit: '×' | '%' | 'ms' | 'MB' | 'bytes' | '/s' | 's' | ''
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
