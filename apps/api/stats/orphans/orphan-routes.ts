import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { problemResponses } from '../../errors/problem.ts'
import { readDayRange } from '../breakdowns/breakdown-range.ts'
import { answerHeaderSchemas, listLifetimeMs, notModified, refusals } from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import { wantedSlugs } from './wanted-slugs.ts'

const QuerySchema = Type.Object(
  {
    from: Type.Optional(
      Type.String({ description: 'RFC 3339 time or date; the UTC day that holds it is the first' }),
    ),
    to: Type.Optional(Type.String({ description: 'RFC 3339 time or date, exclusive; now when absent' })),
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 10 }),
  },
  { additionalProperties: false },
)

const OrphansSchema = Type.Object({
  from: Type.String({ format: 'date-time', description: 'beginning of the first UTC day' }),
  to: Type.String({ format: 'date-time', description: 'end of the last UTC day, exclusive' }),
  requests: Type.Integer({ description: 'requests for slugs that were no link' }),
  slugs: Type.Array(
    Type.Object({
      slug: Type.String(),
      requests: Type.Integer({
        description:
          'never too high; where more than 1,000 slugs of a day are asked for, too low by at most a thousandth of the others',
      }),
      last_day: Type.String({ format: 'date', description: 'the last UTC day with a request' }),
    }),
    { description: 'most wanted first, less those that are links by now' },
  ),
  others: Type.Integer({ description: 'requests for slugs that are not listed' }),
})

/** Today and the six days before. */
const defaultDays = 7

/** `GET /stats/orphans`: which slugs were asked for that are no link; of the last 90 days, seven by default. */
export const orphanRoutes: FastifyPluginAsyncTypebox<StatsContext> = async (app, options) => {
  const { database, answers, config } = options

  app.get(
    '/stats/orphans',
    {
      config,
      schema: {
        operationId: 'orphans',
        summary: 'The most wanted slugs that are no link',
        querystring: QuerySchema,
        response: {
          200: {
            ...OrphansSchema,
            description: 'requests for unknown slugs, as far as they have been written out: every 5 s',
            headers: answerHeaderSchemas,
          },
          304: notModified,
          ...problemResponses(refusals),
        },
      },
    },
    async (request, reply) => {
      const { limit } = request.query
      const { from, to } = readDayRange({ ...request.query, tz: 'UTC' }, new Date(), defaultDays)
      return answers.send(request, reply, {
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
