import type { Pool } from 'pg'

/** How much waits for an operator, by place. The same batch is normally in the ledger's table, the queue and the spool. */
export interface SetAsideCounts {
  /** Batches in `set_aside_batches`. */
  ledger: number
  /** Failed jobs. */
  queue: number
  /** Segments (`.aside`). */
  spool: number
  /** Segments of which a part could not be read (`.damaged`); the rest was delivered. */
  damaged: number
}

export async function setAsideInLedger(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ batches: number }>(
    'SELECT count(*)::integer AS batches FROM set_aside_batches',
  )
  return rows[0]?.batches ?? 0
}

/** Sentences for an operator; none if nothing is set aside. */
export function describeSetAside({ ledger, queue, spool, damaged }: SetAsideCounts): string[] {
  const places = [
    ...(ledger > 0 ? [`${counted(ledger, 'batch', 'batches')} in the ledger`] : []),
    ...(queue > 0 ? [`${counted(queue, 'failed job', 'failed jobs')} in the queue`] : []),
    ...(spool > 0 ? [`${counted(spool, 'segment', 'segments')} in the spool`] : []),
  ]
  return [
    ...(places.length > 0
      ? [
          `Visits are set aside and not counted: ${places.join(', ')}. npm run queue failed says why, and npm run queue retry has them tried again.`,
        ]
      : []),
    ...(damaged > 0
      ? [
          `Part of ${counted(damaged, 'spool segment', 'spool segments')} could not be read and is not counted: see the .damaged files in SPOOL_DIR.`,
        ]
      : []),
  ]
}

function counted(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`
}
