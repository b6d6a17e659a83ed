/**
 * Keeps the name of L2 (change-links.ts) as it is in the database: read when the process begins to listen, and told by a
 * notice afterwards. A process that is current thus knows it.
 */
import type { Log } from '@hopcount/shared/log.ts'
import { errorText } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import { readGeneration } from '../../links/change-links.ts'
import type { NoticeListener } from '../../links/link-changes.ts'
import type { LinkCache } from './link-cache.ts'

export interface CacheNaming extends NoticeListener {
  /** All notices are heard from now on. */
  read(): void
  /** Notices may be missed, or the database is another one. */
  distrust(): void
}

const readAgainAfterMs = 500

export function nameLinkCache(options: {
  pool: Pool
  linkCache: Pick<LinkCache, 'enter' | 'distrust'>
  epoch: () => string
  log: Log
}): CacheNaming {
  const { pool, linkCache, epoch, log } = options
  /** Undefined: not known. */
  let generation: number | undefined
  /** Counts how often it had to be read anew. */
  let reading = 0

  function enter(next: number): void {
    generation = Math.max(generation ?? 0, next)
    linkCache.enter({ epoch: epoch(), generation })
  }

  async function readNow(mine: number): Promise<void> {
    try {
      const read = await readGeneration(pool)
      // A notice that was heard meanwhile may be ahead of what was read.
      if (mine === reading) enter(read)
    } catch (error) {
      log.debug({ reason: errorText(error) }, 'reading the name of the link cache again')
      setTimeout(() => mine === reading && void readNow(mine), readAgainAfterMs).unref()
    }
  }

  function distrust(): void {
    reading++
    generation = undefined
    linkCache.distrust()
  }

  return {
    heard: payload => enter(Number(payload)),
    onGap: distrust,
    read: () => void readNow(++reading),
    distrust,
  }
}
