/**
 * Responses of the statistics: identical requests share one, each one says how fresh it is, and nothing is sent that the
 * client already has. A response contains every visit that any process redirected before `X-Stats-As-Of`;
 * `X-Stats-Pending` visits may not be in it yet.
 *
 * A response is shared only by requests that find the statistics equally fresh. Otherwise a client that polls several
 * processes would be told an earlier `X-Stats-As-Of` than before.
 */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { Freshness, FreshnessReader } from '../freshness/read-freshness.ts'

/** The result of a report's queries: the body, and for a list the query string of its next page. */
export interface Made {
  body: string
  next?: string | undefined
}

interface SharedResponse extends Made {
  etag: string
}

export interface SharedResponses {
  /**
   * Sends what `make` returns, or what it returned for the same key less than `lifetimeMs` ago, or is about to return.
   * The key must contain everything that the response depends on.
   */
  send(
    request: FastifyRequest,
    reply: FastifyReply,
    share: { key: string; lifetimeMs: number; make: () => Promise<Made> },
  ): Promise<FastifyReply>
  /** The headers of a response that is not shared, and whose visits are read after this. */
  freshness(): Promise<Record<string, string>>
}

/**
 * How long a response is shared; part of the second between a redirect and its report. What many clients poll (lists,
 * overall) costs PostgreSQL at most four queries a second.
 */
export const listLifetimeMs = 600
export const linkLifetimeMs = 150

const maxBytes = 32 * 1024 * 1024

export function createSharedResponses(freshness: FreshnessReader): SharedResponses {
  const responses = new LRUCache<string, SharedResponse, () => Promise<Made>>({
    maxSize: maxBytes,
    sizeCalculation: response => response.body.length + 500,
    ttl: linkLifetimeMs,
    ignoreFetchAbort: true,
    async fetchMethod(_key, _stale, { context }) {
      const made = await context()
      return { ...made, etag: `"${createHash('sha1').update(made.body).digest('base64url')}"` }
    },
  })

  const send: SharedResponses['send'] = async (request, reply, { key, lifetimeMs, make }) => {
    const read = await freshness.read()
    const response = await responses.fetch(`${read.asOf} ${key}`, { context: make, ttl: lifetimeMs })
    if (response === undefined) throw new Error('the shared response was dropped')
    reply.headers({ etag: response.etag, ...freshnessHeaders(read) })
    if (response.next !== undefined) {
      const [path = ''] = request.url.split('?')
      reply.header('link', `<${path}?${response.next}>; rel="next"`)
    }
    if (isKnown(request.headers['if-none-match'], response.etag)) return reply.code(304).send()
    return reply.type('application/json; charset=utf-8').send(response.body)
  }

  return { send, freshness: async () => freshnessHeaders(await freshness.read()) }
}

export function freshnessHeaders({ asOf, pending }: Freshness): Record<string, string> {
  return {
    'cache-control': 'private, no-cache',
    'x-stats-as-of': new Date(asOf).toISOString(),
    'x-stats-pending': String(pending),
  }
}

/** RFC 9110, section 13.1.2: a list, compared weakly (caches mark what they have compressed as weak). */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = ifNoneMatch?.split(',').map(entry => entry.trim().replace(/^W\//, ''))
  return known !== undefined && (known.includes(etag) || known.includes('*'))
}

/** The headers as the OpenAPI document describes them. */
export const freshnessHeaderSchemas = {
  'x-stats-as-of': { type: 'string', format: 'date-time', description: 'all visits before it are included' },
  'x-stats-pending': {
    type: 'integer',
    description: 'visits that were redirected and that the response may not include yet',
  },
}
export const responseHeaderSchemas = { etag: { type: 'string' }, ...freshnessHeaderSchemas }
export const linkHeaderSchema = { link: { type: 'string', description: 'the next page, rel="next"' } }
export const notModified = { type: 'null', description: 'unchanged since the response with that ETag' }
/** The problems that every route of the statistics can respond with. */
export const refusals = {
  429: 'too many requests from this address',
  503: 'the database is unavailable, or the service is busy',
}
