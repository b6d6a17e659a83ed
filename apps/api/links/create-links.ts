/**
 * Creates links: concurrent requests become one INSERT (group commit).
 *
 * Outcomes of a request: created; found (`reuse`, the URL had a link); taken (the requested slug exists).
 * Of concurrent requests for one slug exactly one gets it; of concurrent `reuse` requests for one URL exactly one creates
 * a link and the others find it. Within a group its rounds ensure this, across groups and processes the unique keys.
 */
import { createHash } from 'node:crypto'
import { beginEpoch } from '@hopcount/shared/database/database-epoch.ts'
import { createGroupCommit, untilNoneArrives } from '@hopcount/shared/group-commit.ts'
import type { ClientBase, Pool } from 'pg'
import { isReserved } from './check-slug.ts'
import { generateSlug, slugAlphabet, slugLength } from './generate-slug.ts'
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

interface Pending {
  request: LinkRequest
  outcome: LinkOutcome | undefined
}

export interface LinkCreator {
  /** Concurrent requests become one INSERT. */
  createLink(request: LinkRequest): Promise<LinkOutcome>
  /** The same with one outcome per request: 1,000 links in one INSERT. In a transaction of the caller's: committed with it. */
  createLinksOn(database: Pool | ClientBase, requests: LinkRequest[]): Promise<LinkOutcome[]>
}

export function createLinkCreator(options: { pool: Pool; reserved: ReadonlySet<string> }): LinkCreator {
  const { pool, reserved } = options
  /** Undefined until the first link is created: routes reserve words while they are added. */
  let mayBeReserved: boolean | undefined
  const { add } = createGroupCommit<LinkRequest, LinkOutcome>({
    commit: requests => createLinksOn(pool, requests),
    maxWeight: maxLinksPerInsert,
    concurrentCommits: concurrentInserts,
    gather: untilNoneArrives,
  })
  return { createLink: add, createLinksOn }

  async function createLinksOn(database: Pool | ClientBase, requests: LinkRequest[]): Promise<LinkOutcome[]> {
    const all = requests.map((request): Pending => ({ request, outcome: undefined }))
    let open = all
    for (let round = 0; open.length > 0; round++) {
      if (round === maxRounds) throw new Error(`no free slug after ${maxRounds} rounds`)
      await createOrFind(database, open)
      open = open.filter(({ outcome }) => outcome === undefined)
    }
    return all.map(({ outcome }) => outcome ?? { kind: 'taken' })
  }

  /** One round. Requests that collided on a generated slug or a reuse key have no outcome yet and join the next one. */
  async function createOrFind(database: Pool | ClientBase, open: Pending[]): Promise<void> {
    await findReused(database, open)
    const candidates = new Map<string, Pending>()
    const links: NewLink[] = []
    const urls = new Set<string>()
    for (const pending of open) {
      const { request, outcome } = pending
      if (outcome !== undefined) continue
      // Within a group, the second request for the same URL or slug waits for the outcome of the first.
      if (request.reuse && urls.has(request.fields.longUrl)) continue
      if (request.reuse) urls.add(request.fields.longUrl)
      const link = newLink(request)
      if (candidates.has(link.slug)) continue
      candidates.set(link.slug, pending)
      links.push(link)
    }
    if (links.length === 0) return
    const made = await insertLinks(database, links)
    if (made === undefined) {
      await beginEpoch(pool)
      return
    }
    for (const { slug, createdAt } of made) {
      const pending = candidates.get(slug)
      if (pending !== undefined)
        pending.outcome = { kind: 'created', link: { slug, createdAt, fields: pending.request.fields } }
    }
    for (const pending of open) if (pending.request.slug !== undefined) pending.outcome ??= { kind: 'taken' }
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
    mayBeReserved ??= [...reserved].some(word => generated.test(word))
    let slug = generateSlug()
    while (mayBeReserved && isReserved(slug, reserved)) slug = generateSlug()
    return slug
  }
}

/** What a generated slug looks like in any case. Reserved words have vowels, unless the operator reserves others. */
const generated = new RegExp(`^[${slugAlphabet}]{${slugLength}}$`, 'i')

async function findReused(database: Pool | ClientBase, open: Pending[]): Promise<void> {
  const reusing = open.filter(({ request }) => request.reuse)
  if (reusing.length === 0) return
  const found = await findLinksTo(database, [
    ...new Set(reusing.map(({ request }) => request.fields.longUrl)),
  ])
  for (const pending of reusing) {
    const link = found.get(pending.request.fields.longUrl)
    if (link !== undefined) pending.outcome = { kind: 'found', link }
  }
}
