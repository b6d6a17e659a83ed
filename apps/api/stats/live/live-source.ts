/**
 * Feeds all live streams of a process: one query a second for all links with listeners, and none without listeners. A
 * thousand listeners cost PostgreSQL no more than one.
 *
 * A link that had no listeners does not wait for the next second: it is read within `newLinksEveryMs`, together with all
 * others that arrived in the meantime. A new listener of a known link gets its state at once. While the statistics can't
 * be read, listeners get nothing new, and the source keeps trying.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { Freshness, FreshnessReader } from '../../freshness/read-freshness.ts'
import { countsOf } from '../counts.ts'
import type { StoredLiveCounts } from './live-queries.ts'
import type { LiveCounts, LiveFreshness } from './live-schema.ts'

export interface LiveState {
  /** Differs from the previous state's exactly when something has changed. */
  counts: string
  /** The state as a text/event-stream message; created once for all streams that send it. */
  message(): string
  /** Its freshness alone, for streams whose counts have not changed. */
  freshness(): string
  /** Whether visits have been waiting to be counted for longer than usual. */
  isLate: boolean
}

export interface LiveSource {
  /**
   * Calls `notify` with the link's state as soon as it is known (possibly before this returns), and again after each
   * query, whether or not it has changed. Returns a function that stops this.
   */
  listen(linkId: number, notify: Listener): () => void
}

type Listener = (state: LiveState) => void

interface Listened {
  listeners: Set<Listener>
  state: LiveState | undefined
  readAt: number
}

const everyMs = 1_000
const newLinksEveryMs = 100
/** Visits are usually counted within a second. */
const lateAfterMs = 2_000
/** A new listener doesn't get a state older than this: queries are failing, so it may be wrong. */
const freshForMs = 3_000

export function createLiveSource(options: {
  query: (linkIds: number[], now: number) => Promise<Map<number, StoredLiveCounts>>
  freshness: FreshnessReader
  log: Log
}): LiveSource {
  const { query, freshness } = options
  const health = createHealthLog(options.log, 'live statistics')
  const links = new Map<number, Listened>()
  const newLinks = new Set<number>()
  let isReading = false

  function listen(linkId: number, notify: Listener): () => void {
    const link = links.get(linkId) ?? { listeners: new Set(), state: undefined, readAt: 0 }
    if (link.listeners.size === 0) {
      links.set(linkId, link)
      newLinks.add(linkId)
    }
    link.listeners.add(notify)
    if (link.state !== undefined && performance.now() - link.readAt < freshForMs) notify(link.state)
    if (!isReading) void readWhileListened()
    return () => {
      link.listeners.delete(notify)
      if (link.listeners.size > 0 || links.get(linkId) !== link) return
      links.delete(linkId)
      newLinks.delete(linkId)
    }
  }

  /** Each second begins when the last query has ended, so messages are at least that far apart and a slow database isn't overloaded. */
  async function readWhileListened(): Promise<void> {
    isReading = true
    let readAllAt = performance.now() + everyMs
    while (links.size > 0) {
      if (performance.now() >= readAllAt) {
        await read([...links.keys()])
        readAllAt = performance.now() + everyMs
      } else if (newLinks.size > 0) await read([...newLinks])
      await sleep(newLinksEveryMs, undefined, { ref: false })
    }
    isReading = false
  }

  async function read(linkIds: number[]): Promise<void> {
    newLinks.clear()
    try {
      const fresh = await freshness.read()
      const found = await query(linkIds, Date.now())
      health.works()
      for (const [linkId, counts] of found) update(linkId, counts, fresh)
    } catch (error) {
      health.fails(error)
    }
  }

  function update(linkId: number, counts: StoredLiveCounts, fresh: Freshness): void {
    const link = links.get(linkId)
    if (link === undefined) return
    const state = createState(counts, fresh)
    link.state = state
    link.readAt = performance.now()
    for (const notify of link.listeners) notify(state)
  }

  return { listen }
}

function createState(live: StoredLiveCounts, { asOf, pending }: Freshness): LiveState {
  const counts = {
    ...countsOf(live),
    last_5_minutes: live.lastFiveMinutes,
    last_visit: live.lastVisit?.toISOString() ?? null,
  }
  const now = Date.now()
  const fresh: LiveFreshness = {
    as_of: new Date(asOf).toISOString(),
    at: new Date(now).toISOString(),
    pending,
  }
  let message: string | undefined
  let freshness: string | undefined
  return {
    counts: JSON.stringify(counts),
    message: () => (message ??= eventOf('counts', { ...fresh, ...counts } satisfies LiveCounts)),
    freshness: () => (freshness ??= eventOf('freshness', fresh)),
    isLate: pending > 0 && now - asOf > lateAfterMs,
  }
}

function eventOf(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
