/** `GET /stats`: links, most visited first or in another order, of all time or of a window. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Static } from 'typebox'
import { Type } from 'typebox'
import { problemResponses } from '../../errors/problem.ts'
import { countsOf, countsProperties } from '../counts.ts'
import { queryProblem, zoneProperty } from '../series/series-range.ts'
import type { Made } from '../shared-responses.ts'
import {
  answerHeaderSchemas,
  linkHeaderSchema,
  listLifetimeMs,
  notModified,
  refusals,
} from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import type { TopPosition, TopQuery } from './ranked-page.ts'
import type { TopLink } from './top-links-queries.ts'
import { linksMatching, sparklines, topLinks } from './top-links-queries.ts'
import type { TopWindow } from './top-window.ts'
import { readTopWindow } from './top-window.ts'

const TopQuerySchema = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 10 }),
    window: Type.Optional(
      Type.Union([Type.Literal('all'), Type.Literal('24h'), Type.Literal('7d'), Type.Literal('30d')], {
        description:
          'which visits count, all when absent; windows begin with the quarter hour that lies that far back',
      }),
    ),
    from: Type.Optional(
      Type.String({
        description:
          'RFC 3339 time or date, in place of `window`; the quarter hour that holds it is the first',
      }),
    ),
    to: Type.Optional(Type.String({ description: 'RFC 3339 time or date, exclusive; now when absent' })),
    ...zoneProperty,
    sort: Type.Union(
      [Type.Literal('visits'), Type.Literal('uniques'), Type.Literal('last_visit'), Type.Literal('growth')],
      {
        default: 'visits',
        description:
          'highest first, of equals the oldest link first; growth: visits more than in the period of equal length before',
      },
    ),
    search: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2_048,
        description:
          'only links whose slug begins like that, or that lead to that URL; also those without visits',
      }),
    ),
    sparkline: Type.Boolean({ default: false, description: 'adds the last 7 days of each link' }),
    after: Type.Optional(
      Type.String({
        pattern: '^m?\\d{1,16}\\.\\d{1,16}$',
        description: 'from the `Link` header: the next page',
      }),
    ),
  },
  { additionalProperties: false },
)

type Parameters = Static<typeof TopQuerySchema>

const time = Type.String({ format: 'date-time' })

const TopSchema = Type.Array(
  Type.Object({
    slug: Type.String(),
    long_url: Type.String(),
    ...countsProperties,
    uniques: Type.Integer({
      description: 'people, each once per UTC day; of a window: in the UTC days that it touches',
    }),
    last_visit: Type.Union([time, Type.Null()], { description: 'of all time' }),
    created_at: time,
    growth: Type.Optional(
      Type.Integer({
        description: 'with sort=growth: visits less those of the period of equal length before',
      }),
    ),
    sparkline: Type.Optional(
      Type.Array(Type.Integer(), {
        description: 'with sparkline=true: visits of people per UTC day, the last 7, oldest first',
      }),
    ),
  }),
)

/** Times are kept as far as RFC 3339 writes them. */
const maxTime = Date.UTC(9999, 11, 31)

export const topLinksRoute: FastifyPluginAsyncTypebox<StatsContext> = async (
  app,
  { database, answers, config },
) => {
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
            description: 'in the order of `sort`',
            headers: { ...answerHeaderSchemas, ...linkHeaderSchema },
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
      return answers.send(request, reply, {
        key: `top ${JSON.stringify(query)}`,
        lifetimeMs: listLifetimeMs,
        make: () => topAnswer(query, window, now),
      })
    },
  )

  async function topAnswer(query: Parameters, window: TopWindow | undefined, now: Date): Promise<Made> {
    const matching = query.search === undefined ? undefined : linksMatching(query.search)
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
    const body = links.map(link => topLinkAnswer(link, query, lines?.get(link.linkId)))
    return { body: JSON.stringify(body), next: nextQuery(links, query) }
  }
}

function readWindow(query: Parameters, now: Date): TopWindow | undefined {
  if (query.window !== undefined && (query.from !== undefined || query.to !== undefined))
    throw queryProblem('window', 'A window is asked for by window, or by from and to.')
  const window = readTopWindow(query, now)
  if (query.sort === 'growth' && window === undefined)
    throw queryProblem('sort', 'Growth is that of a window: ask for window=24h, 7d or 30d, or from and to.')
  return window
}

function topLinkAnswer(link: TopLink, { sort }: Parameters, sparkline: number[] | undefined) {
  return {
    slug: link.slug,
    long_url: link.longUrl,
    ...countsOf(link),
    uniques: link.uniques,
    last_visit: link.lastVisit,
    created_at: link.createdAt,
    ...(sort === 'growth' && { growth: link.visits - link.before }),
    ...(sparkline && { sparkline }),
  }
}

/** Undefined where this page is the last. */
function nextQuery(links: TopLink[], query: Parameters): string | undefined {
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

/** A growth below zero is written with an m. */
function readPosition(after: string | undefined): TopPosition | undefined {
  if (after === undefined) return undefined
  const [value = 0, linkId = 0] = after.replace(/^m/, '').split('.').map(Number)
  return { value: after.startsWith('m') ? -value : Math.min(value, maxTime), linkId }
}
