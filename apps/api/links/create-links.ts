/**
 * Creates links: concurrent requests become one INSERT (group commit).
 *
 * Outcomes of a request: created; found (`reuse`, the URL had a link); taken (the requested slug exists).
 * Of concurrent requests for one slug exactly one gets it; of concurrent `reuse` requests for one URL exactly one creates
 * a link and the others find it. Within a group its rounds ensure this, across groups and processes the unique keys.
 */
import { createHash } from 'node:crypto'
import { beginEpoch } from '@hopcount/shared/database/database-epoch.ts'
import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import type { ClientBase, Pool } from 'pg'
import { isReserved } from './check-slug.ts'
import { generateSlug } from './generate-slug.ts'
import type { LinkFields } from './link-fields.ts'
import type { Creator, NewLink, StoredLink } from './link-queries.ts'
import { findLinksTo, insertLinks } from './link-queries.ts'

export interface LinkRequest {
  fields: LinkFields
  /** Undefined: one is generated. */
  slug: string | undefined
  reuse: boolean
  creator: Creator
}

export type LinkOutcome = { kind: 'created' | 'found'; link: StoredLink } | { kind: 'taken' }

/** A generated slug collides with a probability of about links / 10^11; ten collisions in a row mean that something else is wrong. */
const maxRounds = 10
const maxLinksPerInsert = 1_000
/** While PostgreSQL processes one group, this process parses the requests of the next. */
const concurrentInserts = 2

export interface LinkCreator {
  /** Concurrent requests become one INSERT. */
  createLink(request: LinkRequest): Promise<LinkOutcome>
  /** The same with one outcome per request: 1,000 links in one INSERT. In a transaction of the caller's: committed with it. */
  createLinksOn(database: Pool | ClientBase, requests: LinkRequest[]): Promise<LinkOutcome[]>
}

export function createLinkCreator(options: { pool: Pool; reserved: ReadonlySet<string> }): LinkCreator {
  const { pool, reserved } = options
  const { add } = createGroupCommit<LinkRequest, LinkOutcome>({
    commit: requests => createLinksOn(pool, requests),
    maxWeight: maxLinksPerInsert,
    concurrentCommits: concurrentInserts,
  })
  return { createLink: add, createLinksOn }

  async function createLinksOn(database: Pool | ClientBase, requests: LinkRequest[]): Promise<LinkOutcome[]> {
    const outcomes = new Map<LinkRequest, LinkOutcome>()
    for (let round = 0; outcomes.size < requests.length; round++) {
      if (round === maxRounds) throw new Error(`no free slug after ${maxRounds} rounds`)
      await createOrFind(
        database,
        requests.filter(request => !outcomes.has(request)),
        outcomes,
      )
    }
    return requests.map(request => outcomes.get(request) ?? { kind: 'taken' })
  }

  /** One round. Requests that collided on a generated slug or a reuse key have no outcome yet and join the next one. */
  async function createOrFind(
    database: Pool | ClientBase,
    requests: LinkRequest[],
    outcomes: Map<LinkRequest, LinkOutcome>,
  ): Promise<void> {
    const reusing = requests.filter(request => request.reuse)
    if (reusing.length > 0) {
      const found = await findLinksTo(database, [...new Set(reusing.map(request => request.fields.longUrl))])
      for (const request of reusing) {
        const link = found.get(request.fields.longUrl)
        if (link !== undefined) outcomes.set(request, { kind: 'found', link })
      }
    }
    const candidates = new Map<string, { request: LinkRequest; link: NewLink }>()
    const urls = new Set<string>()
    for (const request of requests) {
      if (outcomes.has(request)) continue
      // Within a group, the second request for the same URL or slug waits for the outcome of the first.
      if (request.reuse && urls.has(request.fields.longUrl)) continue
      if (request.slug !== undefined && candidates.has(request.slug)) continue
      if (request.reuse) urls.add(request.fields.longUrl)
      const link = newLink(request)
      candidates.set(link.slug, { request, link })
    }
    if (candidates.size === 0) return
    const links = [...candidates.values()].map(candidate => candidate.link)
    const made = await insertLinks(database, links)
    if (made === undefined) {
      await beginEpoch(pool)
      return
    }
    for (const { slug, createdAt } of made) {
      const candidate = candidates.get(slug)
      if (candidate === undefined) continue
      const { fields } = candidate.link
      outcomes.set(candidate.request, { kind: 'created', link: { slug, createdAt, fields } })
    }
    for (const request of requests) {
      if (request.slug !== undefined && !outcomes.has(request)) outcomes.set(request, { kind: 'taken' })
    }
  }

  function newLink(request: LinkRequest): NewLink {
    return {
      slug: request.slug ?? freeSlug(),
      fields: request.fields,
      creator: request.creator,
      reuseKey: request.reuse ? createHash('sha256').update(request.fields.longUrl).digest() : undefined,
    }
  }

  function freeSlug(): string {
    let slug = generateSlug()
    while (isReserved(slug, reserved)) slug = generateSlug()
    return slug
  }
}
