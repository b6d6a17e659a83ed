/** How many links match, which is shown above a list, and must not cost more than the list. */
import { linksPerBlock } from '@hopcount/shared/link-search.ts'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { Found, ListFilter } from './list-conditions.ts'
import { findLinks } from './list-queries.ts'

export interface LinkCount {
  links: number
  /** False: there are at least that many. */
  isExact: boolean
}

/** The first matches of a list, newest first: all of them where they are few. */
export interface Sample extends Found {
  isComplete: boolean
}

/** All links are counted exactly; those that match a filter up to this number. */
export const maxCounted = 300
const enoughCounted = 30
/** A count is good for this many times as long as it took: many who poll the same list cost a tenth of a processor at most. */
const lifetimePerCost = 10

export function createLinkCounter(pool: Pool): (filter: ListFilter) => Promise<LinkCount> {
  const counts = new LRUCache<string, LinkCount, ListFilter>({
    max: 1_000,
    ignoreFetchAbort: true,
    async fetchMethod(_key, _stale, { options, context }) {
      const startedAt = performance.now()
      const count = isEvery(context)
        ? await countAll(pool)
        : countSample(await sampleLinks(pool, context, maxCounted, enoughCounted))
      options.ttl = Math.ceil(lifetimePerCost * (performance.now() - startedAt))
      return count
    },
  })
  return filter => counts.forceFetch(JSON.stringify(filter), { context: filter })
}

/** @param enough so many suffice where all would be expensive to find */
export async function sampleLinks(
  pool: Pool,
  filter: ListFilter,
  links: number,
  enough: number,
): Promise<Sample> {
  const limit = Math.max(links + 1, enough)
  const found = await findLinks(pool, { ...filter, sort: 'newest', limit, after: undefined, enough })
  return { ...found, isComplete: found.next === undefined }
}

export function countSample({ ids, isComplete }: Sample): LinkCount {
  return isComplete ? { links: ids.length, isExact: true } : { links: roundDown(ids.length), isExact: false }
}

/** Whether the list is about all links. */
export function isEvery({ slug, search, tagKeys, state }: ListFilter): boolean {
  return slug === undefined && search === undefined && tagKeys.length === 0 && state === undefined
}

/** Workers count the links that they index. */
async function countAll(pool: Pool): Promise<LinkCount> {
  const { rows } = await pool.query<{ links: number }>({
    name: 'count-all-links',
    text: `SELECT links + (SELECT count(*) FROM links WHERE id >= block * $1::bigint)
                  - (SELECT count(*) FROM links WHERE deleted_at IS NOT NULL) AS links
           FROM link_search_state`,
    values: [linksPerBlock],
  })
  return { links: rows[0]?.links ?? 0, isExact: true }
}

/** To one digit: a number that says "at least" should look like it, and not change with every new link. */
function roundDown(links: number): number {
  const unit = 10 ** (String(links).length - 1)
  return links - (links % unit)
}
