import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { dayMs } from '@hopcount/shared/days.ts'
import { problemResponses } from '../../errors/problem.ts'
import { touchedDays } from '../breakdowns/breakdown-range.ts'
import { readRange } from '../series/series-range.ts'
import { listLifetimeMs, notModified, refusals, responseHeaderSchemas } from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import { OrphansQuerySchema, OrphansSchema } from './orphans-schema.ts'
import { wantedSlugs } from './wanted-slugs.ts'

/** Today and the six days before. */
const defaultDays = 7

/** `GET /stats/orphans`: the slugs that were requested but aren't links. Kept for 90 days, shown for seven by default. */
export const orphanRoutes: FastifyPluginAsyncTypebox<StatsContext> = async (app, options) => {
  const { database, responses, config } = options

  app.get(
    '/stats/orphans',
    {
      config,
      schema: {
        operationId: 'orphans',
        summary: 'The most requested slugs that are not links',
        querystring: OrphansQuerySchema,
        response: {
          200: {
            ...OrphansSchema,
            description: 'requests for unknown slugs; they are written to the database every 5 s',
            headers: responseHeaderSchemas,
          },
          304: notModified,
          ...problemResponses(refusals),
        },
      },
    },
    async (request, reply) => {
      const { limit } = request.query
      const range = readRange(
        { ...request.query, tz: 'UTC' },
        new Date(),
        to => to - 1 - (defaultDays - 1) * dayMs,
      )
      const { from, to } = touchedDays({ from: new Date(range.from), to: new Date(range.to) })
      return responses.send(request, reply, {
        key: `orphans ${from.getTime()} ${to.getTime()} ${limit}`,
        lifetimeMs: listLifetimeMs,
        async make() {
          const { requests, slugs } = await wantedSlugs(database, from, to, limit)
          return {
            body: JSON.stringify({
              from,
              to,
              requests,
              slugs: slugs.map(({ slug, requests, lastDay }) => ({ slug, requests, last_day: lastDay })),
              others: requests - slugs.reduce((sum, slug) => sum + slug.requests, 0),
            }),
          }
        },
      })
    },
  )
}
