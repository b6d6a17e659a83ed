/**
 * Keeps max_visits: however many processes redirect, no more requests for a link get `true` than it allows.
 *
 * What may pass is counted in PostgreSQL (`link_quotas.granted`), and a process may only let pass what it has reserved
 * there. It reserves for all requests that wait, and some ahead (reserve_visits), so a popular link costs one statement per
 * some hundred visits. The states of a link's places:
 *
 *   reserved → taken      a request passes; for good, unless putBack says that its visit was not kept
 *   reserved → returned   not used for `keepUnusedMs`, the limit is another one, or the process ends
 *   reserved → lost       the process dies, or nobody knows whether PostgreSQL executed the statement: the link then leads
 *                         fewer visitors to its target, never more
 *
 * A process that gets fewer places than it needs tries again after `retryAfterMs`, as others may return some by then. Only
 * then does it refuse requests, and for `believeExhaustedMs` it refuses further ones without asking.
 *
 * PostgreSQL away: what is reserved is used, then `take` rejects.
 */
import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { DatabaseWatch } from '../watch-database.ts'
import type { Reservation } from './quota-queries.ts'
import { linksWithVisitsLeft, reserveVisits } from './quota-queries.ts'
import type { Places } from './return-unused.ts'
import { createReturner } from './return-unused.ts'

export interface LimitedLink {
  id: number
  maxVisits: number
}

export interface Quota {
  /** May this request be redirected? Synchronous while the process has places, or knows that there are none. */
  take(link: LimitedLink): boolean | Promise<boolean>
  /** Would a request be redirected? Takes nothing. */
  hasLeft(link: LimitedLink): boolean | Promise<boolean>
  /** A request that was let pass was not redirected, and its visit will not be counted. */
  putBack(link: LimitedLink): void
  /** Returns what is left. */
  close(): Promise<void>
}

const keepUnusedMs = 200
const lookEveryMs = 100
const retryAfterMs = 500
const believeExhaustedMs = 1_000
/** Links of which a process remembers that they are exhausted. */
const maxExhausted = 10_000
const maxLinksPerStatement = 1_000

export function createQuota(options: {
  pool: Pool
  watch: Pick<DatabaseWatch, 'epoch' | 'onEpoch'>
  log: Log
}): Quota {
  const { pool, watch, log } = options
  const held = new Map<number, Places>()
  const exhausted = new LRUCache<number, { maxVisits: number; until: number }>({ max: maxExhausted })
  const unused = createReturner({ pool, held, log })
  let timer: NodeJS.Timeout | undefined

  const reservations = createGroupCommit<Places, Reservation & { waiting: number }>({
    maxWeight: maxLinksPerStatement,
    async commit(links) {
      const wanted = links.map(({ linkId, waiting }) => ({ linkId, waiting: waiting.length }))
      const reserved = await reserveVisits(pool, wanted)
      return wanted.map(({ linkId, waiting }) => {
        const reservation = reserved.get(linkId)
        if (reservation === undefined) throw new Error('a reservation is missing')
        return { ...reservation, waiting }
      })
    },
  })

  const lookUps = createGroupCommit<number, boolean>({
    maxWeight: maxLinksPerStatement,
    async commit(linkIds) {
      const left = await linksWithVisitsLeft(pool, linkIds)
      return linkIds.map(linkId => left.has(linkId))
    },
  })

  watch.onEpoch(() => {
    // The database may have lost the reservations.
    for (const places of held.values()) places.free = 0
    unused.forget()
    exhausted.clear()
  })

  function take(link: LimitedLink): boolean | Promise<boolean> {
    const places = placesOf(link)
    if (places.free > 0) {
      places.free--
      places.usedAt = performance.now()
      return true
    }
    if (isKnownExhausted(link)) return false
    return new Promise((resolve, reject) => {
      places.waiting.push({ resolve, reject })
      if (!places.reserving) void reserve(places)
    })
  }

  function isKnownExhausted({ id, maxVisits }: LimitedLink): boolean {
    const refused = exhausted.get(id)
    return refused?.maxVisits === maxVisits && performance.now() < refused.until
  }

  function hasLeft(link: LimitedLink): boolean | Promise<boolean> {
    const places = held.get(link.id)
    if (places?.maxVisits === link.maxVisits && places.free > 0) return true
    return isKnownExhausted(link) ? false : lookUps.add(link.id)
  }

  function placesOf({ id, maxVisits }: LimitedLink): Places {
    const known = held.get(id)
    if (known !== undefined) {
      if (known.maxVisits !== maxVisits) limitChanged(known, maxVisits)
      return known
    }
    const places: Places = {
      linkId: id,
      maxVisits,
      free: 0,
      epoch: watch.epoch(),
      usedAt: performance.now(),
      waiting: [],
      reserving: false,
      wake: () => {},
    }
    held.set(id, places)
    timer ??= setInterval(look, lookEveryMs).unref()
    return places
  }

  function limitChanged(places: Places, maxVisits: number): void {
    places.maxVisits = maxVisits
    unused.setAside(places, places.free)
    places.free = 0
    exhausted.delete(places.linkId)
    places.wake()
  }

  /** Until nobody waits for the link. Never rejects. */
  async function reserve(places: Places): Promise<void> {
    places.reserving = true
    try {
      let mayWait = exhausted.get(places.linkId)?.maxVisits !== places.maxVisits
      while (places.waiting.length > 0) {
        // Otherwise our own outdated places could be those that are missing.
        if (unused.areSetAside()) await unused.giveBack(() => false)
        const { maxVisits } = places
        const reservation = await reservations.add(places)
        accept(places, reservation, maxVisits)
        if (reservation.places >= reservation.waiting) {
          exhausted.delete(places.linkId)
          mayWait = true
        } else if (mayWait && !reservation.isCountedUp) {
          mayWait = false
          await pause(places)
        } else if (places.maxVisits === maxVisits) refuse(places)
      }
    } catch (error) {
      for (const waiter of places.waiting.splice(0)) waiter.reject(error)
    } finally {
      places.reserving = false
    }
  }

  /** @param maxVisits the limit that was known when the places were wanted */
  function accept(places: Places, { places: reserved, epoch }: Reservation, maxVisits: number): void {
    if (places.epoch !== epoch) places.free = 0
    places.epoch = epoch
    places.usedAt = performance.now()
    const passing = places.waiting.splice(0, reserved)
    for (const waiter of passing) waiter.resolve(true)
    const left = reserved - passing.length
    if (places.maxVisits === maxVisits) places.free += left
    else unused.setAside(places, left)
  }

  function refuse(places: Places): void {
    exhausted.set(places.linkId, {
      maxVisits: places.maxVisits,
      until: performance.now() + believeExhaustedMs,
    })
    for (const waiter of places.waiting.splice(0)) waiter.resolve(false)
  }

  function pause(places: Places): Promise<void> {
    return new Promise(resolve => {
      const timeout = setTimeout(resolve, retryAfterMs)
      places.wake = () => {
        clearTimeout(timeout)
        resolve()
      }
    })
  }

  function putBack(link: LimitedLink): void {
    const places = placesOf(link)
    const next = places.waiting.shift()
    if (next === undefined) places.free++
    else next.resolve(true)
  }

  function look(): void {
    const isUnused = unusedSince(performance.now() - keepUnusedMs)
    let anyUnused = unused.areSetAside()
    for (const places of held.values()) {
      if (!isUnused(places)) continue
      if (places.free > 0) anyUnused = true
      else held.delete(places.linkId)
    }
    if (anyUnused) void unused.giveBack(isUnused)
    if (held.size === 0 && !unused.areSetAside()) {
      clearInterval(timer)
      timer = undefined
    }
  }

  function unusedSince(time: number): (places: Places) => boolean {
    return places => places.usedAt <= time && !places.reserving && places.waiting.length === 0
  }

  async function close(): Promise<void> {
    await reservations.idle()
    clearInterval(timer)
    await unused.giveBack(() => false)
    await unused.giveBack(() => true)
  }

  return { take, hasLeft, putBack, close }
}
