/**
 * From slug to link: L1 in this process, L2 in Redis, PostgreSQL.
 *
 * `cached` answers at once or not at all. `resolve` asks further; concurrent questions for one slug are one question
 * (single flight), and questions for different slugs that wait together are one query (group commit), so a stream of
 * unknown slugs costs PostgreSQL one query at a time, if it is not turned away before (known-slugs.ts). An absent slug
 * is remembered apart from the links, so unknown slugs can't push links out, and only while changes by other processes
 * are heard. `resolve` rejects when PostgreSQL has to be asked and can't be: that is not an unknown slug.
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
  /** The slug was created or changed: what is remembered of it no longer holds. */
  forget(slug: string): void
  /** Changes may have gone unheard. */
  forgetAbsent(): void
}

interface Lookup {
  answer: Promise<Link | undefined>
  /** The slug changed after the question was put: the answer is given, and not remembered. */
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
  const underWay = new Map<string, Lookup>()

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
    let lookup = underWay.get(slug)
    if (lookup === undefined) {
      lookup = { outdated: false, answer: Promise.resolve(undefined) }
      lookup.answer = load(slug, lookup).finally(() => underWay.get(slug) === lookup && underWay.delete(slug))
      underWay.set(slug, lookup)
    }
    return lookup.answer
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

  return {
    cached: slug => links.get(slug),
    resolve,
    forget(slug) {
      absent.delete(slug)
      links.delete(slug)
      const lookup = underWay.get(slug)
      if (lookup === undefined) return
      lookup.outdated = true
      underWay.delete(slug)
    },
    forgetAbsent() {
      absent.clear()
      for (const lookup of underWay.values()) lookup.outdated = true
    },
  }
}
