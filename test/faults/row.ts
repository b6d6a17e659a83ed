/** What a row of the matrix is: a system, and a fault that strikes it at a random moment, several times. */
import type { FaultSystem, SystemOptions } from './fault-system.ts'
import type { Random } from './seeded-random.ts'
import type { RoundResult } from './strike-under-load.ts'

export interface Row {
  number: number
  title: string
  /** A round takes more than 30 s: one round in CI. */
  long?: boolean
  /** Rounds that differ from each other: at least that many are run. */
  kinds?: number
  /** Rounds in CI; 2 where absent, 1 for a long row. */
  ciRounds?: number
  /** `mounts`: small disks are tmpfs, which root alone may mount. */
  needs?: ('redis' | 'mounts')[]
  system?: SystemOptions
  /** Before the parts start: what the options alone can't say. */
  options?: (context: RowContext) => SystemOptions | Promise<SystemOptions>
  round(system: FaultSystem, context: RoundContext): Promise<RoundResult>
}

export interface RowContext {
  /** An empty migrated database on a server that no row may hurt. */
  newDatabase: () => Promise<string>
  /** The long form: waits as long as the matrix names them. */
  full: boolean
  /** What time limits are multiplied by where other work shares the processors. */
  slack: number
}

export interface RoundContext extends RowContext {
  random: Random
  /** From 0. */
  round: number
}
