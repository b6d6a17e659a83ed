/** A row of the matrix: a system, and a fault that strikes it several times, at random moments. */
import type { FaultSystem, SystemOptions } from './fault-system.ts'
import type { Random } from './seeded-random.ts'
import type { RoundResult } from './strike-under-load.ts'

export interface Row {
  number: number
  title: string
  /** The number of kinds of rounds; each is run at least once. */
  kinds?: number
  /** Rounds in the gate; 1 by default. */
  ciRounds?: number
  /** `mounts`: small disks are tmpfs mounts, which need root. */
  needs?: ('redis' | 'mounts' | 'pgbouncer')[]
  system?: SystemOptions
  /** Runs before the processes start, for options that have to be prepared. */
  options?: (context: RowContext) => SystemOptions | Promise<SystemOptions>
  round(system: FaultSystem, context: RoundContext): Promise<RoundResult>
}

export interface RowContext {
  /** Creates an empty migrated database on a server that no row may damage. */
  newDatabase: () => Promise<string>
  /** The long form: faults last as long as their titles say. */
  full: boolean
  /** Factor for time limits on machines that do other work at the same time. */
  slack: number
}

export interface RoundContext extends RowContext {
  random: Random
  /** From 0. */
  round: number
}
