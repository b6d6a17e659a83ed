/** `GET /stats/:slug/visits` and `GET /stats/overall/visits`: raw visits, newest first, in pages. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { problemResponses } from '../../errors/problem.ts'
import {
  linkHeaderSchema,
  linkLifetimeMs,
  notModified,
  refusals,
  responseHeaderSchemas,
} from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import { findSubject, reportPaths, slugOf } from '../subject.ts'
import { visitDescriber } from './describe-visit.ts'
import { VisitOfAnyLinkSchema, VisitSchema } from './visit-schema.ts'
import type { RawVisit, VisitPosition } from './visits-queries.ts'
import { newestVisits } from './visits-queries.ts'

const VisitsQuerySchema = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
    before: Type.Optional(
      Type.String({
        pattern: '^\\d{1,15}\\.\\d{1,6}$',
        description: 'the next page, from the `Link` header',
      }),
    ),
  },
  { additionalProperties: false },
)

export const visitsRoutes: FastifyPluginAsyncTypebox<StatsContext> = async (
  app,
  { database, responses, config },
) => {
  for (const { url, id, of, schema, notFound } of reportPaths('visits')) {
    app.get(
      url,
      {
        config,
        schema: {
          operationId: `${id}Visits`,
          summary: `The visits of ${of}, newest first`,
          description: 'Goes as far back as raw visits are kept.',
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
        const { limit, before } = request.query
        return responses.send(request, reply, {
          key: `visits ${request.url}`,
          lifetimeMs: linkLifetimeMs,
          async make() {
            const position = readPosition(before)
            const { linkId } = await findSubject(database, slugOf(request))
            const [visits, describe] = await Promise.all([
              newestVisits(database, linkId, limit, position),
              visitDescriber(),
            ])
            const next = visits.length === limit ? positionAfter(visits, position) : undefined
            return {
              body: JSON.stringify(visits.map(describe)),
              next: next && `${new URLSearchParams({ limit: String(limit), before: next })}`,
            }
          },
        })
      },
    )
  }
}

function readPosition(before: string | undefined): VisitPosition | undefined {
  if (before === undefined) return undefined
  const [visitedAt = 0, shown = 0] = before.split('.').map(Number)
  return { visitedAt, shown }
}

function positionAfter(visits: RawVisit[], before: VisitPosition | undefined): string {
  const last = visits.at(-1)?.visitedAt.getTime() ?? 0
  const shownBefore = before?.visitedAt === last ? before.shown : 0
  const shown = visits.filter(visit => visit.visitedAt.getTime() === last).length
  return `${last}.${shownBefore + shown}`
}
