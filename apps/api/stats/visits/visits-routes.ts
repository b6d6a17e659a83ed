/** `GET /stats/:slug/visits` and `GET /stats/overall/visits`: raw visits, newest first, in pages. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Static } from 'typebox'
import { Type } from 'typebox'
import { problemResponses } from '../../errors/problem.ts'
import { loadTextDescriber } from '../describe-texts.ts'
import { filterProperties } from '../raw/filter-schema.ts'
import type { Filters } from '../raw/filters.ts'
import { agentPasses, codePasses, isFiltered, readFilters, sourcePasses } from '../raw/filters.ts'
import { readTime, readTimeZone } from '../series/series-range.ts'
import { zoneProperty } from '../series/series-schema.ts'
import {
  linkHeaderSchema,
  linkLifetimeMs,
  listLifetimeMs,
  notModified,
  refusals,
  responseHeaderSchemas,
} from '../shared-responses.ts'
import type { RawContext } from '../stats-context.ts'
import { findSubject, reportPaths, slugOf } from '../subject.ts'
import { visitDescriber } from './describe-visit.ts'
import { VisitOfAnyLinkSchema, VisitSchema } from './visit-schema.ts'
import type { VisitPosition } from './visits-queries.ts'
import { newestMatching, newestVisits, positionAfter } from './visits-queries.ts'

const searchMs = 1_000

const VisitsQuerySchema = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
    before: Type.Optional(
      Type.String({
        pattern: '^\\d{1,15}\\.\\d{1,6}$',
        description: 'the next page, from the `Link` header',
      }),
    ),
    from: Type.Optional(Type.String({ description: 'RFC 3339 time or date; no visits before it' })),
    to: Type.Optional(Type.String({ description: 'RFC 3339 time or date, exclusive' })),
    ...zoneProperty,
    ...filterProperties,
  },
  { additionalProperties: false },
)

type VisitsQuery = Static<typeof VisitsQuerySchema>

export const visitsRoutes: FastifyPluginAsyncTypebox<RawContext> = async (
  app,
  { database, responses, config, rawTurns },
) => {
  for (const { url, id, of, schema, notFound } of reportPaths('visits')) {
    app.get(
      url,
      {
        config,
        schema: {
          operationId: `${id}Visits`,
          summary: `The visits of ${of}, newest first`,
          description:
            'Goes as far back as raw visits are kept. With filters, visits are searched for at most a second: a page may have fewer than `limit`, even none, although there are more. As long as there is a `Link` header, there is a next page, which goes on from there.',
          ...schema,
          querystring: VisitsQuerySchema,
          response: {
            200: {
              ...Type.Array(id === 'overall' ? VisitOfAnyLinkSchema : VisitSchema),
              description: 'newest first',
              headers: { ...responseHeaderSchemas, ...linkHeaderSchema },
            },
            304: notModified,
            ...problemResponses({ ...notFound, ...refusals }),
          },
        },
      },
      (request, reply) => {
        const { limit } = request.query
        const { position, from } = readVisitRange(request.query)
        const filters = readFilters(request.query)
        return responses.send(request, reply, {
          key: `visits ${request.url}`,
          lifetimeMs: isFiltered(filters) ? listLifetimeMs : linkLifetimeMs,
          async make() {
            const { linkId } = await findSubject(database, slugOf(request))
            const describe = await visitDescriber()
            const { visits, next } = isFiltered(filters)
              ? await readMatching(linkId, limit, position, from, filters)
              : await readNewest(linkId, limit, position, from)
            return {
              body: JSON.stringify(visits.map(describe)),
              next: next && nextQuery(request.query, next),
            }
          },
        })
      },
    )
  }

  async function readNewest(
    linkId: number,
    limit: number,
    before: VisitPosition | undefined,
    from: Date | undefined,
  ) {
    const visits = await newestVisits(database, linkId, limit, before, from)
    return { visits, next: visits.length === limit ? visits.reduce(positionAfter, before) : undefined }
  }

  async function readMatching(
    linkId: number,
    limit: number,
    before: VisitPosition | undefined,
    from: Date | undefined,
    filters: Filters,
  ) {
    const texts = await loadTextDescriber()
    const endTurn = await rawTurns.take()
    try {
      return await newestMatching(database, linkId, limit, {
        before,
        from,
        matches: visit =>
          codePasses(visit.country, filters.country) &&
          codePasses(visit.language, filters.language) &&
          agentPasses(texts.userAgent(visit.userAgent), filters) &&
          sourcePasses(texts.referrer(visit.referrer), filters),
        deadline: performance.now() + searchMs,
      })
    } finally {
      endTurn()
    }
  }
}

/** Where a page of the range begins, and the range's first moment. */
function readVisitRange({ before, from, to, tz }: VisitsQuery): {
  position: VisitPosition | undefined
  from: Date | undefined
} {
  const timeZone = readTimeZone(tz)
  const position = readPosition(before)
  // Times of visits are whole milliseconds.
  const last = to === undefined ? undefined : readTime('to', to, timeZone) - 1
  return {
    position:
      last !== undefined && (position === undefined || position.visitedAt > last)
        ? { visitedAt: last, shown: 0 }
        : position,
    from: from === undefined ? undefined : new Date(readTime('from', from, timeZone)),
  }
}

function readPosition(before: string | undefined): VisitPosition | undefined {
  if (before === undefined) return undefined
  const [visitedAt = 0, shown = 0] = before.split('.').map(Number)
  return { visitedAt, shown }
}

function nextQuery({ limit, before: _, ...rest }: VisitsQuery, next: VisitPosition): string {
  const before = `${next.visitedAt}.${next.shown}`
  return `${new URLSearchParams({ limit: String(limit), ...rest, before })}`
}
