/**
 * How fresh statistics are: what the database that answers them says about all producers.
 *
 * Read before the statistics, from the same server: a report is committed after the visits that it speaks of, so a server
 * that shows the report shows the visits. That holds for a replica too, which replays commits in their order; nothing has
 * to be known about its position. And whoever reads later reads no earlier moment, in whichever process: a client that
 * polls several of them never sees `asOf` go back.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { allLinks } from '@hopcount/shared/all-links.ts'
import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import { pendingVisits } from '@hopcount/shared/visits/silent-producers.ts'
import type { Pool } from 'pg'

export interface Freshness {
  /** Statistics that are read from now on include every visit before this moment (milliseconds since 1970). */
  asOf: number
  /** Visits that were redirected and that these statistics may not include yet. */
  pending: number
}

export interface FreshnessReader {
  /**
   * Reads after the call; concurrent calls share a query. Rejects while the database is away: what was known before may
   * be about another server, which had more.
   */
  read(): Promise<Freshness>
}

interface Reported {
  asOf: number
  othersPending: number
  /** Visits counted so far. */
  counted: number
}

const primaryWaitMs = 500
/**
 * Clients that poll cost PostgreSQL at most 100 of these small queries a second, however many they are; when few do, none
 * of them waits.
 */
const betweenReadsMs = 10

export function createFreshnessReader(options: {
  /** The database that statistics are read from. */
  pool: Pool
  /** Where that is a replica: the primary, which knows what the replica has not replayed. */
  primary: Pool | undefined
  producerId: string
  /** Of this process, which knows better than its last report. */
  ownPending: () => number
  onRead: () => void
}): FreshnessReader {
  const { pool, primary, producerId, ownPending, onRead } = options
  const askPrimary = primary && createPrimaryReader(primary, producerId)

  let readAt = Number.NEGATIVE_INFINITY
  const reads = createGroupCommit<undefined, Reported>({
    gather(start) {
      const waitMs = readAt + betweenReadsMs - performance.now()
      if (waitMs > 0) setTimeout(start, waitMs)
      else setImmediate(start)
    },
    async commit(group) {
      readAt = performance.now()
      const [shown, known] = await Promise.all([readReports(pool, producerId), askPrimary?.()])
      const othersPending = known === undefined ? shown.othersPending : pendingBehind(shown, known)
      return group.map(() => ({ ...shown, othersPending }))
    },
  })

  async function read(): Promise<Freshness> {
    onRead()
    const { asOf, othersPending } = await reads.add(undefined)
    return { asOf, pending: othersPending + ownPending() }
  }

  return { read }
}

/** On a replica: what is pending, and what is counted but not replayed. */
function pendingBehind(shown: Reported, known: Reported): number {
  return known.othersPending + Math.max(0, known.counted - shown.counted)
}

/** The last that the primary has said. A primary that is away delays the statistics of its replica once, not each of them. */
function createPrimaryReader(primary: Pool, producerId: string): () => Promise<Reported | undefined> {
  let last: Reported | undefined
  let reading: Promise<void> | undefined
  let isLate = false

  async function read(): Promise<void> {
    try {
      last = await readReports(primary, producerId)
      isLate = false
    } catch {
      isLate = true
    }
    reading = undefined
  }

  return async () => {
    reading ??= read()
    if (!isLate) {
      isLate = await Promise.race([reading.then(() => isLate), sleep(primaryWaitMs, true, { ref: false })])
    }
    return last
  }
}

async function readReports(pool: Pool, producerId: string): Promise<Reported> {
  const { rows } = await pool.query<{ as_of: number; others_pending: number; counted: number | null }>({
    name: 'read-freshness',
    text: `SELECT floor(extract(epoch FROM as_of) * 1000)::bigint AS as_of,
                  (SELECT coalesce(sum(${pendingVisits}), 0)::bigint FROM producers WHERE producer_id <> $1) AS others_pending,
                  (SELECT visits FROM link_totals WHERE link_id = ${allLinks}) AS counted
           FROM freshness`,
    values: [producerId],
  })
  const [row] = rows
  if (row === undefined) throw new Error('the table freshness is empty')
  return { asOf: row.as_of, othersPending: row.others_pending, counted: row.counted ?? 0 }
}
