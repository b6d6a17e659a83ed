/**
 * From slug to link: L1 in this process, L2 in Redis, PostgreSQL.
 *
 * `cached` only reads L1 and is synchronous. `resolve` goes on to L2 and PostgreSQL; concurrent lookups of one slug share
 * one (single flight), and lookups of different slugs that wait together become one query (group commit), so a flood of
 * unknown slugs that known-slugs.ts lets through costs PostgreSQL at most two queries at a time. Absent slugs are cached
 * apart from links, so that they can't evict them. `resolve` rejects when PostgreSQL is needed but unavailable: that is
 * not an unknown slug.
 *
 * A link that was changed is not followed to its former target more than a second after the change was confirmed
 * (decisions/0046-changes-reach-every-cache.md). What may be trusted:
 *
 *   | the process               | L1                                        | L2  | absent slugs |
 *   | is current                | read or confirmed since the last gap      | yes | yes          |
 *   | is not current            | read from PostgreSQL within `trustedMs`   | no  | no           |
 *   | can't ask PostgreSQL      | all of it, for a bounded time             | for what L1 lacks | no |
 *
 * Current (link-changes.ts): every change that is older than a second has been heard. A gap: changes may have been missed,
 * so each link of L1 is asked for once after it. A lookup that hears meanwhile that its slug was changed looks again, and
 * puts nothing into a cache.
 *
 * Why not lru-cache's `fetch` for the single flight: lookups in progress take up places, so a flood of unknown slugs
 * evicts every link; and a lookup of an absent slug rejects when the slug is forgotten in the meantime (lru-cache 11.5).
 */

import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { Link } from '../../links/link.ts'
import type { LinkChanges } from '../../links/link-changes.ts'
import type { Queries } from '../../links/link-queries.ts'
import { findLinks } from '../../links/link-queries.ts'
import type { DatabaseOutage } from './database-outage.ts'
import type { KnownSlugs } from './known-slugs.ts'
import type { LinkCache } from './link-cache.ts'

export interface SlugResolver {
  cached(slug: string): Link | undefined
  resolve(slug: string): Promise<Link | undefined>
  /** The slug was created or changed: what is cached for it is outdated. */
  forget(slug: string): void
  /** Changes may have been missed: nothing is trusted before it was asked for again. */
  distrust(): void
  /** The database has lost links: nothing that is cached can be trusted. */
  forgetAll(): void
}

interface Entry {
  link: Link
  /** The time between two gaps in which it was read. */
  period: number
  /** performance.now() before PostgreSQL was asked for it. */
  readAt: number
}

interface Lookup {
  link: Promise<Link | undefined>
  /** Settles later than `link` where L1 was faster. */
  asking: Promise<unknown>
  /** The slug was changed after the lookup began, or may have been. */
  outdated: boolean
}

const maxAbsentSlugs = 10_000
const absentLifetimeMs = 30_000
const maxSlugsPerQuery = 1_000
/** As long as a process counts as current (link-changes.ts). */
const trustedMs = 900
/** How long a request for a link of L1 waits for PostgreSQL before it is redirected to what L1 has. */
const askDeadlineMs = 250
/** A link that is changed without end is followed to one of its targets. */
const maxLookups = 5

export function createSlugResolver(options: {
  pool: Pool
  linkCache: LinkCache | undefined
  known: Pick<KnownSlugs, 'isAbsent' | 'found'>
  changes: Pick<LinkChanges, 'isCurrent' | 'query'>
  outage: DatabaseOutage
  maxLinks: number
}): SlugResolver {
  const { pool, linkCache, known, changes, outage } = options
  const links = new LRUCache<string, Entry>({ max: options.maxLinks })
  const absent = new LRUCache<string, true>({ max: maxAbsentSlugs, ttl: absentLifetimeMs })
  const inProgress = new Map<string, Lookup>()
  let period = 0

  const queries = createGroupCommit<string, Link | undefined>({
    maxWeight: maxSlugsPerQuery,
    concurrentCommits: 2,
    commit: slugs => findInOrder(pool, slugs),
  })

  /**
   * For links of L1: after a gap, the pool's connections may have died without a sign, and take 11 s to notice. The one
   * on which changes are heard has just proved to be alive.
   */
  const confirmations = createGroupCommit<string, Link | undefined>({
    maxWeight: maxSlugsPerQuery,
    commit: slugs => findInOrder(changes, slugs),
  })

  function cached(slug: string): Link | undefined {
    const entry = links.get(slug)
    if (entry === undefined) return undefined
    if (entry.period === period && changes.isCurrent()) return entry.link
    return performance.now() - entry.readAt < trustedMs || outage.isOn() ? entry.link : undefined
  }

  async function resolve(slug: string): Promise<Link | undefined> {
    if (changes.isCurrent() && absent.has(slug)) return undefined
    if (await known.isAbsent(slug)) return undefined
    const link = await lookUp(slug)
    if (link !== undefined) known.found(slug)
    return link
  }

  async function lookUp(slug: string): Promise<Link | undefined> {
    for (let lookups = 1; ; lookups++) {
      const lookup = joinLookup(slug)
      const link = await lookup.link
      if (!lookup.outdated || lookups === maxLookups) return link
    }
  }

  function joinLookup(slug: string): Lookup {
    const underWay = inProgress.get(slug)
    if (underWay !== undefined) return underWay
    const nothing = Promise.resolve(undefined)
    const lookup: Lookup = { outdated: false, link: nothing, asking: nothing }
    inProgress.set(slug, lookup)
    lookup.link = load(slug, lookup)
    // Until PostgreSQL's answer is in L1, or known to be outdated.
    lookup.link
      .then(() => lookup.asking)
      .catch(() => {})
      .finally(() => inProgress.get(slug) === lookup && inProgress.delete(slug))
    return lookup
  }

  async function load(slug: string, lookup: Lookup): Promise<Link | undefined> {
    const begunIn = period
    const isTrusted = () =>
      linkCache?.isTrusted() && changes.isCurrent() && period === begunIn && !lookup.outdated
    if (isTrusted()) {
      const shared = await linkCache?.get(slug)
      if (shared !== undefined && isTrusted()) {
        links.set(slug, { link: shared, period, readAt: Number.NEGATIVE_INFINITY })
        return shared
      }
    }
    return links.has(slug) ? confirm(slug, lookup) : ask(slug, lookup, queries)
  }

  async function ask(slug: string, lookup: Lookup, source: typeof queries): Promise<Link | undefined> {
    const begunIn = period
    const readAt = performance.now()
    let link: Link | undefined
    try {
      link = await source.add(slug)
    } catch (error) {
      const shared = await linkCache?.get(slug)
      if (shared === undefined || !outage.begin()) throw error
      return shared
    }
    outage.end()
    if (lookup.outdated) return link
    const isKnownToBeCurrent = changes.isCurrent() && period === begunIn
    if (link !== undefined) {
      links.set(slug, { link, period: begunIn, readAt })
      if (isKnownToBeCurrent) linkCache?.set(slug, link)
    } else {
      links.delete(slug)
      if (isKnownToBeCurrent) absent.set(slug, true)
    }
    return link
  }

  /** For a slug that L1 has, but that must not be trusted without asking. */
  async function confirm(slug: string, lookup: Lookup): Promise<Link | undefined> {
    const asking = ask(slug, lookup, changes.isCurrent() ? confirmations : queries)
    lookup.asking = asking
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<'late'>(resolve => {
      timer = setTimeout(resolve, askDeadlineMs, 'late')
    })
    const answer = await Promise.race([asking.catch(() => 'failed' as const), deadline])
    clearTimeout(timer)
    if (answer !== 'late' && answer !== 'failed') return answer
    const entry = links.get(slug)
    return entry !== undefined && outage.begin() ? entry.link : asking
  }

  function distrust(): void {
    period++
    absent.clear()
    for (const lookup of inProgress.values()) lookup.outdated = true
    inProgress.clear()
  }

  return {
    cached,
    resolve,
    forget(slug) {
      absent.delete(slug)
      links.delete(slug)
      const lookup = inProgress.get(slug)
      if (lookup === undefined) return
      lookup.outdated = true
      inProgress.delete(slug)
    },
    distrust,
    forgetAll() {
      links.clear()
      distrust()
    },
  }
}

async function findInOrder(database: Queries, slugs: string[]): Promise<(Link | undefined)[]> {
  const found = await findLinks(database, slugs)
  return slugs.map(slug => found.get(slug))
}
