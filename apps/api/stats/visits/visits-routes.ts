/** `GET /stats/:slug/visits` and `GET /stats/overall/visits`: raw visits, newest first, page by page. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { problemResponses } from '../../errors/problem.ts'
import {
  answerHeaderSchemas,
  linkHeaderSchema,
  linkLifetimeMs,
  notModified,
  refusals,
} from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import { findSubject, reportAddresses, slugOf } from '../subject.ts'
import { visitDescriber, visitProperties } from './describe-visit.ts'
import type { RawVisit, VisitPosition } from './visits-queries.ts'
import { newestVisits } from './visits-queries.ts'

const VisitsQuerySchema = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
    before: Type.Optional(
      Type.String({
        pattern: '^\\d{1,15}\\.\\d{1,6}$',
        description: 'from the `Link` header: the next page',
      }),
    ),
  },
  { additionalProperties: false },
)

export const visitsRoutes: FastifyPluginAsyncTypebox<StatsContext> = async (
  app,
  { database, answers, config },
) => {
  for (const { url, id, of, schema, notFound } of reportAddresses('visits')) {
    app.get(
      url,
      {
        config,
        schema: {
          operationId: `${id}Visits`,
          summary: `The visits of ${of}, newest first`,
          description: 'As far back as raw visits are kept.',
          ...schema,
          querystring: VisitsQuerySchema,
          response: {
            200: {
              ...Type.Array(
                Type.Object(id === 'overall' ? { slug: Type.String(), ...visitProperties } : visitProperties),
              ),
              description: 'newest first',
              headers: { ...answerHeaderSchemas, ...linkHeaderSchema },
            },
            304: notModified,
            ...problemResponses({ ...notFound, ...refusals }),
          },
        },
      },
      (request, reply) => {
        const { limit, before } = request.query
        return answers.send(request, reply, {
          key: `visits ${request.url}`,
          lifetimeMs: linkLifetimeMs,
          async make() {
            const position = readPosition(before)
            const { linkId } = await findSubject(database, slugOf(request))
            const [visits, describe] = await Promise.all([
              newestVisits(database, linkId, limit, position),
              visitDescriber(),
            ])
            const next = visits.length === limit ? positionBehind(visits, position) : undefined
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

function positionBehind(visits: RawVisit[], before: VisitPosition | undefined): string {
  const last = visits.at(-1)?.visitedAt.getTime() ?? 0
  const shownBefore = before?.visitedAt === last ? before.shown : 0
  const shown = visits.filter(visit => visit.visitedAt.getTime() === last).length
  return `${last}.${shownBefore + shown}`
}
