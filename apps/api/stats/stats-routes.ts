import { createHash } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@hopcount/shared/database.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { Type } from 'typebox'
import { Problem, problemResponses } from '../errors/problem.ts'
import { perMinute } from '../limits/rate-limits.ts'
import { shedLoad } from '../limits/shed-load.ts'
import { slugPattern } from '../links/check-slug.ts'
import type { PendingVisits } from '../visits/record-visits.ts'
import { readSeriesRange, SeriesQuerySchema } from './series-range.ts'
import type { TopLink, TopPosition } from './stats-queries.ts'
import { linkTotals, recentVisits, topLinks, topLinksSince, visitSeries } from './stats-queries.ts'

const windowMs = { '24h': 24 * 3_600_000, '7d': 7 * 24 * 3_600_000, '30d': 30 * 24 * 3_600_000 }

const TopQuerySchema = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 10 }),
    window: Type.Union([Type.Literal('all'), Type.Literal('24h'), Type.Literal('7d'), Type.Literal('30d')], {
      default: 'all',
      description: 'which visits count; windows begin with the quarter hour that lies that far back',
    }),
    after: Type.Optional(
      Type.String({
        pattern: '^\\d{1,16}\\.\\d{1,16}$',
        description: 'from the `Link` header: the next page',
      }),
    ),
  },
  { additionalProperties: false },
)

const TopSchema = Type.Array(
  Type.Object({
    slug: Type.String(),
    long_url: Type.String(),
    visits: Type.Integer({ description: 'redirects answered, each once' }),
    last_visit: Type.String({ format: 'date-time' }),
  }),
)

const nullableTime = Type.Union([Type.String({ format: 'date-time' }), Type.Null()])
const nullableText = Type.Union([Type.String(), Type.Null()])

const LinkStatsSchema = Type.Object({
  slug: Type.String(),
  long_url: Type.String(),
  visits: Type.Integer({ description: 'redirects answered, each once' }),
  first_visit: nullableTime,
  last_visit: nullableTime,
  series: Type.Array(Type.Object({ start: Type.String({ format: 'date-time' }), visits: Type.Integer() }), {
    description: 'visits per interval, empty ones included',
  }),
  recent: Type.Array(
    Type.Object({
      visited_at: Type.String({ format: 'date-time' }),
      referrer: nullableText,
      user_agent: nullableText,
    }),
    { description: 'the latest 20 visits, newest first' },
  ),
})

const recentLimit = 20
/**
 * Identical requests within this time, and those in flight, share one answer: part of the second from redirect to report.
 * The top list, which many poll at once, costs PostgreSQL at most two queries a second.
 */
const topLifetimeMs = 600
const linkLifetimeMs = 150

interface Answer {
  body: string
  etag: string
  asOf: number
  next: TopPosition | undefined
}

/**
 * `GET /stats` and `GET /stats/:slug`. They read aggregates only (and the 20 newest raw rows), so their time does not
 * grow with the number of visits. Every answer says how fresh it is: all visits that this process redirected before
 * `X-Stats-As-Of` are in it, `X-Stats-Pending` are not yet in any.
 */
export const statsRoutes: FastifyPluginAsyncTypebox<{
  database: Database
  pending: () => PendingVisits
  /** Requests that one public address may make per minute; 0: no limit. */
  perMinute: number
}> = async (app, options) => {
  const { database, pending } = options
  const config = perMinute(options.perMinute, 'stats')
  await shedLoad(app)
  const answers = new LRUCache<string, Answer, () => Promise<Omit<Answer, 'etag' | 'asOf'>>>({
    maxSize: 32 * 1024 * 1024,
    sizeCalculation: answer => answer.body.length + 500,
    ttl: linkLifetimeMs,
    ignoreFetchAbort: true,
    async fetchMethod(_key, _stale, { context }) {
      const asOf = pending().recordedUpTo
      const { body, next } = await context()
      return { body, next, asOf, etag: `"${createHash('sha1').update(body).digest('base64url')}"` }
    },
  })

  const headers = {
    etag: { type: 'string' },
    'x-stats-as-of': { type: 'string', format: 'date-time', description: 'visits before it are counted in' },
    'x-stats-pending': {
      type: 'integer',
      description: 'visits of this process that are counted in no answer yet',
    },
  }
  const notModified = { type: 'null', description: 'nothing has changed since the answer of that ETag' }
  const refusals = { 429: 'too many requests from this address', 503: 'the database is not reachable' }

  app.get(
    '/stats',
    {
      config,
      schema: {
        operationId: 'topLinks',
        summary: 'The most visited links',
        querystring: TopQuerySchema,
        response: {
          200: {
            ...TopSchema,
            description: 'most visited first',
            headers: { ...headers, link: { type: 'string', description: 'the next page, rel="next"' } },
          },
          304: notModified,
          ...problemResponses(refusals),
        },
      },
    },
    async (request, reply) => {
      const { limit, window, after } = request.query
      const answer = await shared(`top ${limit} ${window} ${after ?? ''}`, topLifetimeMs, async () => {
        const position = readPosition(after)
        const links =
          window === 'all'
            ? await topLinks(database, limit, position)
            : await topLinksSince(database, new Date(Date.now() - windowMs[window]), limit, position)
        return { body: JSON.stringify(links.map(topLinkAnswer)), next: nextPosition(links, limit) }
      })
      if (answer.next !== undefined) {
        const after = `${answer.next.visits}.${answer.next.linkId}`
        reply.header(
          'link',
          `</stats?${new URLSearchParams({ limit: String(limit), window, after })}>; rel="next"`,
        )
      }
      return send(request, reply, answer)
    },
  )

  app.get(
    '/stats/:slug',
    {
      config,
      schema: {
        operationId: 'linkStats',
        summary: 'The statistics of a link',
        params: Type.Object({ slug: Type.String() }),
        querystring: SeriesQuerySchema,
        response: {
          200: { ...LinkStatsSchema, description: 'totals, series and latest visits', headers },
          304: notModified,
          ...problemResponses({ 404: 'no such link', ...refusals }),
        },
      },
    },
    async (request, reply) => {
      const { slug } = request.params
      if (!slugPattern.test(slug)) throw noSuchLink()
      const buckets = readSeriesRange(request.query, new Date())
      const answer = await shared(`link ${request.url}`, linkLifetimeMs, async () => {
        const totals = await linkTotals(database, slug)
        if (totals === undefined) throw noSuchLink()
        const [series, recent] = await Promise.all([
          visitSeries(database, totals.linkId, buckets),
          recentVisits(database, totals.linkId, recentLimit),
        ])
        const body = JSON.stringify({
          slug: totals.slug,
          long_url: totals.longUrl,
          visits: totals.visits,
          first_visit: totals.firstVisit,
          last_visit: totals.lastVisit,
          series,
          recent: recent.map(visit => ({
            visited_at: visit.visitedAt,
            referrer: visit.referrer,
            user_agent: visit.userAgent,
          })),
        })
        return { body, next: undefined }
      })
      return send(request, reply, answer)
    },
  )

  async function shared(
    key: string,
    ttl: number,
    query: () => Promise<Omit<Answer, 'etag' | 'asOf'>>,
  ): Promise<Answer> {
    const answer = await answers.fetch(key, { context: query, ttl })
    if (answer === undefined) throw new Error('the shared answer was dropped')
    return answer
  }

  function send(request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
    reply.headers({
      etag: answer.etag,
      'cache-control': 'private, no-cache',
      'x-stats-as-of': new Date(answer.asOf).toISOString(),
      'x-stats-pending': String(pending().visits),
    })
    if (isKnown(request.headers['if-none-match'], answer.etag)) return reply.code(304).send()
    return reply.type('application/json; charset=utf-8').send(answer.body)
  }
}

/** RFC 9110, section 13.1.2: a list, compared weakly (caches mark as weak what they have compressed). */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = ifNoneMatch?.split(',').map(entry => entry.trim().replace(/^W\//, ''))
  return known !== undefined && (known.includes(etag) || known.includes('*'))
}

function topLinkAnswer(link: TopLink) {
  return { slug: link.slug, long_url: link.longUrl, visits: link.visits, last_visit: link.lastVisit }
}

function nextPosition(links: TopLink[], limit: number): TopPosition | undefined {
  const last = links.at(-1)
  return links.length === limit && last !== undefined
    ? { visits: last.visits, linkId: last.linkId }
    : undefined
}

function readPosition(after: string | undefined): TopPosition | undefined {
  if (after === undefined) return undefined
  const [visits = 0, linkId = 0] = after.split('.').map(Number)
  return { visits, linkId }
}

function noSuchLink(): Problem {
  return new Problem(404, 'There is no such link.')
}
