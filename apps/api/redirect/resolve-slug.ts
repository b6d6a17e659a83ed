/**
 * From slug to link: L1 in this process, L2 in Redis, PostgreSQL.
 *
 * `cached` only reads L1 and is synchronous. `resolve` goes on to L2 and PostgreSQL; concurrent lookups of one slug share
 * one (single flight), and lookups of different slugs that wait together become one query (group commit), so a flood of
 * unknown slugs that known-slugs.ts lets through costs PostgreSQL at most two queries at a time. Absent slugs are cached
 * apart from links, so that they can't evict them, and only while changes by other processes are received. `resolve`
 * rejects when PostgreSQL is needed but unavailable: that is not an unknown slug.
 *
 * Why not lru-cache's `fetch` for the single flight: lookups in progress take up places, so a flood of unknown slugs
 * evicts every link; and a lookup of an absent slug rejects when the slug is forgotten in the meantime (lru-cache 11.5).
 */

import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { Link } from '../links/link.ts'
import { findLinks } from '../links/link-queries.ts'
import type { KnownSlugs } from './known-slugs.ts'
import type { LinkCache } from './link-cache.ts'

export interface SlugResolver {
  cached(slug: string): Link | undefined
  resolve(slug: string): Promise<Link | undefined>
  /** The slug was created or changed: what is cached for it is outdated. */
  forget(slug: string): void
  /** Changes may have been missed. */
  forgetAbsent(): void
  /** The database has lost links: nothing that is cached can be trusted. */
  forgetAll(): void
}

interface Lookup {
  link: Promise<Link | undefined>
  /** The slug changed after the lookup began: its result is returned, but not cached. */
  outdated: boolean
}

const maxAbsentSlugs = 10_000
const absentLifetimeMs = 30_000
const maxSlugsPerQuery = 1_000

export function createSlugResolver(options: {
  pool: Pool
  linkCache: LinkCache | undefined
  known: Pick<KnownSlugs, 'isAbsent' | 'found'>
  maxLinks: number
  hearsChanges: () => boolean
}): SlugResolver {
  const { pool, linkCache, known, hearsChanges } = options
  const links = new LRUCache<string, Link>({ max: options.maxLinks })
  const absent = new LRUCache<string, true>({ max: maxAbsentSlugs, ttl: absentLifetimeMs })
  const inProgress = new Map<string, Lookup>()

  const queries = createGroupCommit<string, Link | undefined>({
    maxWeight: maxSlugsPerQuery,
    concurrentCommits: 2,
    async commit(slugs) {
      const found = await findLinks(pool, slugs)
      return slugs.map(slug => found.get(slug))
    },
  })

  async function resolve(slug: string): Promise<Link | undefined> {
    if (hearsChanges() && absent.has(slug)) return undefined
    if (await known.isAbsent(slug)) return undefined
    const link = await lookUp(slug)
    if (link !== undefined) known.found(slug)
    return link
  }

  function lookUp(slug: string): Promise<Link | undefined> {
    let lookup = inProgress.get(slug)
    if (lookup === undefined) {
      lookup = { outdated: false, link: Promise.resolve(undefined) }
      lookup.link = load(slug, lookup).finally(
        () => inProgress.get(slug) === lookup && inProgress.delete(slug),
      )
      inProgress.set(slug, lookup)
    }
    return lookup.link
  }

  async function load(slug: string, lookup: Lookup): Promise<Link | undefined> {
    const shared = await linkCache?.get(slug)
    const link = shared ?? (await queries.add(slug))
    if (lookup.outdated) return link
    if (link !== undefined) {
      links.set(slug, link)
      if (shared === undefined) linkCache?.set(slug, link)
    } else if (hearsChanges()) absent.set(slug, true)
    return link
  }

  function forgetAbsent(): void {
    absent.clear()
    for (const lookup of inProgress.values()) lookup.outdated = true
  }

  return {
    cached: slug => links.get(slug),
    resolve,
    forget(slug) {
      absent.delete(slug)
      links.delete(slug)
      const lookup = inProgress.get(slug)
      if (lookup === undefined) return
      lookup.outdated = true
      inProgress.delete(slug)
    },
    forgetAbsent,
    forgetAll() {
      links.clear()
      forgetAbsent()
      inProgress.clear()
    },
  }
}
