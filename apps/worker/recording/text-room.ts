/**
 * How many rows `texts` has, and how many more it may get. Strangers choose these texts, so without a limit they choose
 * the size of the table. When it is full, texts that have no number stay in their visits; nothing is refused or counted
 * otherwise. All workers count, about once a minute: together they may exceed the limit by what they add in a minute.
 */
import type { Pool } from 'pg'

export interface TextRoom {
  readonly limit: number
  /** At the last count, with what this worker has added since. */
  rows(): number
  hasRoomFor(more: number): boolean
  add(rows: number): void
  /** The database can't number any more texts. */
  close(): void
  count(pool: Pool): Promise<void>
  /** A sentence for operators once less than a tenth is left. */
  warning(): string | undefined
}

const defaultTextLimit = 1_000_000

export function createTextRoom(limit = defaultTextLimit): TextRoom {
  let rows = 0
  let closed = false

  const isFull = () => closed || rows >= limit

  return {
    limit,
    rows: () => rows,
    hasRoomFor: more => !closed && rows + more <= limit,
    add(more) {
      rows += more
    },
    close() {
      closed = true
    },
    async count(pool) {
      const result = await pool.query<{ rows: number }>({
        name: 'count-texts',
        text: 'SELECT count(*) AS rows FROM texts',
      })
      rows = result.rows[0]?.rows ?? 0
    },
    warning() {
      if (isFull())
        return `the table texts is full (${rows} rows): new referrers and user agents are stored in each of their visits, which take some 100 bytes more. Raise TEXTS_MAX, or set RETENTION_DAYS, which also removes unused texts.`
      if (rows >= 0.9 * limit) return `the table texts has ${rows} of at most ${limit} rows (TEXTS_MAX)`
      return undefined
    },
  }
}
