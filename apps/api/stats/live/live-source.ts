/**
 * What all live streams of a process are fed from: one query a second for all links that somebody listens to, and none
 * while nobody does. A thousand listeners cost PostgreSQL what one costs.
 *
 * A link that nobody listened to before does not wait for the second to be over: it is asked for within
 * `newLinksEveryMs`, together with all others that came meanwhile. Whoever listens to a link that is known is told at
 * once. While the statistics can't be read, listeners hear nothing new, and the source goes on trying.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import { countsOf } from '../counts.ts'
import type { LiveCounts } from './live-queries.ts'

export interface LiveState {
  /** Differs from the one before exactly when something has changed. */
  counts: string
  /** The state as a message of a text/event-stream; made once for all that send it. */
  message(): string
}

export interface LiveSource {
  /**
   * Calls `tell` with the link's state as soon as it is known (perhaps before this returns), and again after each
   * query, whether or not it has changed. Returns what ends that.
   */
  listen(linkId: number, tell: Listener): () => void
}

type Listener = (state: LiveState) => void

interface Listened {
  listeners: Set<Listener>
  state: LiveState | undefined
  readAt: number
}

const everyMs = 1_000
const newLinksEveryMs = 100
/** A state older than this is no longer told to who comes: queries fail, and nobody knows what has changed. */
const freshForMs = 3_000

export function createLiveSource(options: {
  query: (linkIds: number[], now: number) => Promise<Map<number, LiveCounts>>
  /** Visits that this process answered before this moment (milliseconds since 1970) are in what a query finds from now on. */
  recordedUpTo: () => number
  log: Log
}): LiveSource {
  const { query, recordedUpTo } = options
  const health = createHealthLog(options.log, 'live statistics')
  const links = new Map<number, Listened>()
  const newLinks = new Set<number>()
  let isAsking = false

  function listen(linkId: number, tell: Listener): () => void {
    const link = links.get(linkId) ?? { listeners: new Set(), state: undefined, readAt: 0 }
    if (link.listeners.size === 0) {
      links.set(linkId, link)
      newLinks.add(linkId)
    }
    link.listeners.add(tell)
    if (link.state !== undefined && performance.now() - link.readAt < freshForMs) tell(link.state)
    if (!isAsking) void askWhileListened()
    return () => {
      link.listeners.delete(tell)
      if (link.listeners.size > 0 || links.get(linkId) !== link) return
      links.delete(linkId)
      newLinks.delete(linkId)
    }
  }

  /** The second begins when the last query has ended: messages lie at least as far apart, and a slow database is not pressed. */
  async function askWhileListened(): Promise<void> {
    isAsking = true
    let askAllAt = performance.now() + everyMs
    while (links.size > 0) {
      if (performance.now() >= askAllAt) {
        await ask([...links.keys()])
        askAllAt = performance.now() + everyMs
      } else if (newLinks.size > 0) await ask([...newLinks])
      await sleep(newLinksEveryMs, undefined, { ref: false })
    }
    isAsking = false
  }

  async function ask(linkIds: number[]): Promise<void> {
    newLinks.clear()
    const asOf = recordedUpTo()
    try {
      const found = await query(linkIds, Date.now())
      health.works()
      for (const [linkId, counts] of found) hear(linkId, counts, asOf)
    } catch (error) {
      health.fails(error)
    }
  }

  function hear(linkId: number, counts: LiveCounts, asOf: number): void {
    const link = links.get(linkId)
    if (link === undefined) return
    const state = createState(counts, asOf)
    link.state = state
    link.readAt = performance.now()
    for (const tell of link.listeners) tell(state)
  }

  return { listen }
}

function createState(live: LiveCounts, asOf: number): LiveState {
  const counts = { ...countsOf(live), last_5_minutes: live.lastFiveMinutes, last_visit: live.lastVisit }
  let message: string | undefined
  return {
    counts: JSON.stringify(counts),
    message() {
      message ??= `event: counts\ndata: ${JSON.stringify({ as_of: new Date(asOf), ...counts })}\n\n`
      return message
    },
  }
}
