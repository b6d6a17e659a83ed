/**
 * Counts requests for slugs that aren't links per UTC day, so that a misprinted link is noticed. The redirect calls
 * `count` when it responds with 404: one step in a Map. Written in batches of at most 1,000 slugs (write-counts.ts).
 */
import type { Log } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import { writeCounts } from '../write-counts.ts'
import { createFrequentSlugs } from './frequent-slugs.ts'
import { addOrphanVisits } from './orphan-queries.ts'

export interface OrphanCounter {
  /** A request for this slug got a 404. It is a slug, or a damaged link as find-link.ts writes it. */
  count(slug: string): void
  /** Writes the remaining counts. */
  close(): Promise<void>
}

const maxSlugs = 1_000

export function createOrphanCounter({ pool, log }: { pool: Pool; log: Log }): OrphanCounter {
  const slugs = createFrequentSlugs(maxSlugs)
  const close = writeCounts({
    name: 'counting requests for unknown slugs',
    take() {
      const counts = slugs.take()
      return counts.requests.size > 0 || counts.others > 0 ? counts : undefined
    },
    write: (day, counts) => addOrphanVisits(pool, day, counts),
    log,
  })
  return { count: slugs.count, close }
}
