/** `GET /stats`: links, most visited first or in another order, for all time or a window. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problemResponses } from '../../errors/problem.ts'
import { linkOrigin, ownHostCheck, slugOfShortUrl } from '../../links/short-urls.ts'
import { isWholeDays } from '../breakdowns/breakdown-range.ts'
import { countsOf } from '../counts.ts'
import { queryProblem } from '../series/series-range.ts'
import type { Made } from '../shared-responses.ts'
import {
  linkHeaderSchema,
  listLifetimeMs,
  notModified,
  refusals,
  responseHeaderSchemas,
} from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import type { TopPosition, TopQuery } from './ranked-page.ts'
import type { TopLink } from './top-links-queries.ts'
import { linkNamed, linksMatching, sparklines, topLinks } from './top-links-queries.ts'
import type { TopLinksQuery } from './top-links-schema.ts'
import { TopLinksQuerySchema, TopLinksSchema } from './top-links-schema.ts'
import type { TopWindow } from './top-window.ts'
import { readTopWindow } from './top-window.ts'

/** The latest time that RFC 3339 can express. */
const maxTime = Date.UTC(9999, 11, 31)

/** What a response depends on besides its query. */
interface RequestContext {
  window: TopWindow | undefined
  now: Date
  /** What short URLs begin with. */
  origin: string
  /** The slug of a short URL that was searched for. */
  pasted: string | undefined
}

export const topLinksRoute: FastifyPluginAsyncTypebox<StatsContext> = async (
  app,
  { database, responses, config, ...address },
) => {
  app.get(
    '/stats',
    {
      config,
      schema: {
        operationId: 'topLinks',
        summary: 'The most visited links',
        querystring: TopLinksQuerySchema,
        response: {
          200: {
            ...TopLinksSchema,
            description: 'in the order of `sort`',
            headers: { ...responseHeaderSchemas, ...linkHeaderSchema },
          },
          304: notModified,
          ...problemResponses(refusals),
        },
      },
    },
    (request, reply) => {
      const { query } = request
      const now = new Date()
      const window = readWindow(query, now)
      const origin = linkOrigin(address, request)
      const pasted = query.search && slugOfShortUrl(query.search, ownHostCheck(address, request))
      return responses.send(request, reply, {
        key: `top ${origin} ${pasted ?? ''} ${JSON.stringify(query)}`,
        lifetimeMs: listLifetimeMs,
        make: () => readTopLinks(query, { window, now, origin, pasted }),
      })
    },
  )

  async function readTopLinks(
    query: TopLinksQuery,
    { window, now, origin, pasted }: RequestContext,
  ): Promise<Made> {
    const matching = matchingLinks(query.search, pasted)
    if (query.search !== undefined && matching === undefined) return { body: '[]' }
    const { limit, sort } = query
    const wanted: TopQuery = { limit, sort, window, matching, after: readPosition(query.after) }
    const links = await topLinks(database, wanted)
    const lines = query.sparkline
      ? await sparklines(
          database,
          links.map(({ linkId }) => linkId),
          now,
        )
      : undefined
    const body = links.map(link => describeLink(link, query, { window, origin }, lines?.get(link.linkId)))
    return { body: JSON.stringify(body), next: nextQuery(links, query) }
  }
}

function matchingLinks(search: string | undefined, pasted: string | undefined) {
  if (pasted !== undefined) return linkNamed(pasted)
  return search === undefined ? undefined : linksMatching(search)
}

function readWindow(query: TopLinksQuery, now: Date): TopWindow | undefined {
  if (query.window !== undefined && (query.from !== undefined || query.to !== undefined))
    throw queryProblem('window', 'Please use either window, or from and to.')
  const window = readTopWindow(query, now)
  if (query.sort === 'growth' && window === undefined)
    throw queryProblem('sort', 'Growth needs a window: please add window=24h, 7d or 30d, or from and to.')
  return window
}

function describeLink(
  link: TopLink,
  { sort }: TopLinksQuery,
  { window, origin }: Pick<RequestContext, 'window' | 'origin'>,
  sparkline: number[] | undefined,
) {
  return {
    slug: link.slug,
    short_url: `${origin}/${link.slug}`,
    long_url: link.longUrl,
    ...countsOf(link),
    ...((window === undefined || isWholeDays(window)) && { uniques: link.uniques }),
    last_visit: link.lastVisit,
    created_at: link.createdAt,
    state: link.state,
    ...(sort === 'growth' && { growth: link.visits - link.before }),
    ...(sparkline && { sparkline }),
  }
}

/** Undefined if this is the last page. */
function nextQuery(links: TopLink[], query: TopLinksQuery): string | undefined {
  const last = links.at(-1)
  if (links.length < query.limit || last === undefined) return undefined
  const { limit, window, from, to, tz, sort, search, sparkline } = query
  const isWindow = from === undefined && to === undefined
  const parameters = {
    limit: String(limit),
    ...(isWindow ? { window: window ?? 'all' } : { tz }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(sort !== 'visits' && { sort }),
    ...(search !== undefined && { search }),
    ...(sparkline && { sparkline: 'true' }),
    after: `${last.value < 0 ? 'm' : ''}${Math.abs(last.value)}.${last.linkId}`,
  }
  return `${new URLSearchParams(parameters)}`
}

/** Negative growth is written with an m. */
function readPosition(after: string | undefined): TopPosition | undefined {
  if (after === undefined) return undefined
  const [value = 0, linkId = 0] = after.replace(/^m/, '').split('.').map(Number)
  return { value: after.startsWith('m') ? -value : Math.min(value, maxTime), linkId }
}
