/**
 * Returns places that a process has reserved and does not use, at most once each: where nobody knows whether PostgreSQL has
 * executed the statement, they are lost. If it can't even be reached, they remain, and may be used.
 */
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { Pool, PoolClient } from 'pg'
import type { UnusedPlaces } from './quota-queries.ts'
import { returnPlaces } from './quota-queries.ts'

interface Waiter {
  resolve: (passes: boolean) => void
  reject: (error: unknown) => void
}

/** What a process has reserved of one link, and who waits for more. */
export interface Places {
  linkId: number
  maxVisits: number
  free: number
  /** Of the database in which the free ones are reserved. */
  epoch: string
  /** performance.now() */
  usedAt: number
  /** In order of arrival; none while places are free. */
  waiting: Waiter[]
  reserving: boolean
  /** Ends the pause before the second attempt. */
  wake: () => void
}

export interface Returner {
  /** They were reserved under a limit that has changed since: they will be returned, and are not used. */
  setAside(places: Places, count: number): void
  areSetAside(): boolean
  /** The database has forgotten the reservations. */
  forget(): void
  /**
   * Returns what is set aside, and the free places of links that are unused. One at a time: concurrent calls share the one
   * in progress. Never rejects.
   */
  giveBack(isUnused: (places: Places) => boolean): Promise<void>
}

export function createReturner(options: {
  pool: Pool
  held: ReadonlyMap<number, Places>
  log: Log
}): Returner {
  const { pool, held } = options
  const health = createHealthLog(options.log, 'returning unused visits of links with max_visits')
  let outdated: UnusedPlaces[] = []
  let returning: Promise<void> | undefined

  function setAside({ linkId, epoch }: Places, places: number): void {
    if (places > 0) outdated.push({ linkId, places, epoch })
  }

  function giveBack(isUnused: (places: Places) => boolean): Promise<void> {
    returning ??= returnTogether(isUnused).finally(() => {
      returning = undefined
    })
    return returning
  }

  async function returnTogether(isUnused: (places: Places) => boolean): Promise<void> {
    let client: PoolClient
    try {
      client = await pool.connect()
    } catch (error) {
      // Nothing was sent, so the places remain, and may be used.
      health.fails(error)
      return
    }
    const unused = outdated
    outdated = []
    for (const places of held.values()) {
      if (places.free === 0 || !isUnused(places)) continue
      unused.push({ linkId: places.linkId, places: places.free, epoch: places.epoch })
      places.free = 0
    }
    let failed = true
    try {
      if (unused.length > 0) await returnPlaces(client, unused)
      failed = false
      health.works()
    } catch (error) {
      health.fails(error)
    } finally {
      client.release(failed)
    }
  }

  return {
    setAside,
    areSetAside: () => outdated.length > 0,
    forget() {
      outdated = []
    },
    giveBack,
  }
}
