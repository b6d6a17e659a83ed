/** How many links match, counted up to a bound: it is shown above a list, and must not cost more than the list. */
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { ListFilter } from './list-queries.ts'
import { findLinks } from './list-queries.ts'

export interface LinkCount {
  links: number
  /** False: there are at least that many. */
  isExact: boolean
}

const maxCounted = 1_000
/** A count is good for this many times as long as it took: many who poll the same list cost a tenth of a processor at most. */
const lifetimePerCost = 10

export function createLinkCounter(pool: Pool): (filter: ListFilter) => Promise<LinkCount> {
  const counts = new LRUCache<string, LinkCount, ListFilter>({
    max: 1_000,
    ignoreFetchAbort: true,
    async fetchMethod(_key, _stale, { options, context }) {
      const startedAt = performance.now()
      const count = await countLinks(pool, context)
      options.ttl = Math.ceil(lifetimePerCost * (performance.now() - startedAt))
      return count
    },
  })
  return filter => counts.forceFetch(JSON.stringify(filter), { context: filter })
}

async function countLinks(pool: Pool, filter: ListFilter): Promise<LinkCount> {
  const { ids, next } = await findLinks(pool, {
    ...filter,
    sort: 'newest',
    limit: maxCounted + 1,
    after: undefined,
  })
  return { links: Math.min(ids.length, maxCounted), isExact: next === undefined }
}
