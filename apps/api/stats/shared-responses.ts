/**
 * Answers of statistics: identical requests share one, each says how fresh it is, and what the client has is not sent
 * again. All visits that this process redirected before `X-Stats-As-Of` are in the answer, `X-Stats-Pending` are not
 * yet in any.
 */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { PendingVisits } from '../visits/record-visits.ts'

/** What a query makes: the body, and for a list the query of its next page. */
export interface Made {
  body: string
  next?: string | undefined
}

interface Answer extends Made {
  etag: string
  asOf: number
}

export interface SharedAnswers {
  /**
   * Answers with what `make` makes, or with what it made for the same key less than `lifetimeMs` ago, or is making.
   * The key must hold all that the answer depends on.
   */
  send(
    request: FastifyRequest,
    reply: FastifyReply,
    share: { key: string; lifetimeMs: number; make: () => Promise<Made> },
  ): Promise<FastifyReply>
  /** The headers of an answer that is not shared, about visits read from now on. */
  freshness(): Record<string, string>
}

/**
 * How long an answer is shared: part of the second from redirect to report. What many poll at once (lists, overall)
 * costs PostgreSQL at most two queries a second.
 */
export const listLifetimeMs = 600
export const linkLifetimeMs = 150

const maxBytes = 32 * 1024 * 1024

export function createSharedAnswers(pending: () => PendingVisits): SharedAnswers {
  const answers = new LRUCache<string, Answer, () => Promise<Made>>({
    maxSize: maxBytes,
    sizeCalculation: answer => answer.body.length + 500,
    ttl: linkLifetimeMs,
    ignoreFetchAbort: true,
    async fetchMethod(_key, _stale, { context }) {
      const asOf = pending().recordedUpTo
      const made = await context()
      return { ...made, asOf, etag: `"${createHash('sha1').update(made.body).digest('base64url')}"` }
    },
  })

  const send: SharedAnswers['send'] = async (request, reply, { key, lifetimeMs, make }) => {
    const answer = await answers.fetch(key, { context: make, ttl: lifetimeMs })
    if (answer === undefined) throw new Error('the shared answer was dropped')
    reply.headers({ etag: answer.etag, ...freshnessHeaders(answer.asOf, pending().visits) })
    if (answer.next !== undefined) {
      const [path = ''] = request.url.split('?')
      reply.header('link', `<${path}?${answer.next}>; rel="next"`)
    }
    if (isKnown(request.headers['if-none-match'], answer.etag)) return reply.code(304).send()
    return reply.type('application/json; charset=utf-8').send(answer.body)
  }

  return { send, freshness: () => freshnessHeaders(pending().recordedUpTo, pending().visits) }
}

function freshnessHeaders(asOf: number, pendingVisits: number): Record<string, string> {
  return {
    'cache-control': 'private, no-cache',
    'x-stats-as-of': new Date(asOf).toISOString(),
    'x-stats-pending': String(pendingVisits),
  }
}

/** RFC 9110, section 13.1.2: a list, compared weakly (caches mark as weak what they have compressed). */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = ifNoneMatch?.split(',').map(entry => entry.trim().replace(/^W\//, ''))
  return known !== undefined && (known.includes(etag) || known.includes('*'))
}

/** The headers as the OpenAPI document describes them. */
export const freshnessHeaderSchemas = {
  'x-stats-as-of': { type: 'string', format: 'date-time', description: 'visits before it are counted in' },
  'x-stats-pending': {
    type: 'integer',
    description: 'visits of this process that are counted in no answer yet',
  },
}
export const answerHeaderSchemas = { etag: { type: 'string' }, ...freshnessHeaderSchemas }
export const linkHeaderSchema = { link: { type: 'string', description: 'the next page, rel="next"' } }
export const notModified = { type: 'null', description: 'nothing has changed since the answer of that ETag' }
/** What every route of statistics may answer, besides its own. */
export const refusals = {
  429: 'too many requests from this address',
  503: 'the database is not reachable, or too much is going on',
}
