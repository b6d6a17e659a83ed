/** `GET /stats/:slug/breakdowns` and `GET /stats/overall/breakdowns`: read from daily aggregates, so their time does not grow with the number of visits. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Dimension } from '@hopcount/shared/breakdowns.ts'
import { dimensions } from '@hopcount/shared/breakdowns.ts'
import { problemResponses } from '../../errors/problem.ts'
import { countsOf } from '../counts.ts'
import { listLifetimeMs, notModified, refusals, responseHeaderSchemas } from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import { findSubject, reportPaths, slugOf } from '../subject.ts'
import type { DaySums } from './breakdown-queries.ts'
import { sumDayCounts, sumDays } from './breakdown-queries.ts'
import type { DayRange } from './breakdown-range.ts'
import { daysBefore, readDayRange } from './breakdown-range.ts'
import { BreakdownQuerySchema, BreakdownReportSchema } from './breakdown-schema.ts'
import { mostFrequentValues, uncertaintyOf } from './breakdown-values.ts'

export const breakdownRoutes: FastifyPluginAsyncTypebox<StatsContext> = async (
  app,
  { database, responses, config },
) => {
  for (const { url, id, of, schema, notFound } of reportPaths('breakdowns')) {
    app.get(
      url,
      {
        config,
        schema: {
          operationId: `${id}Breakdowns`,
          summary: `The visits of ${of} by referrer, channel, country, browser, operating system, device, language and bot`,
          description:
            'Breakdowns are kept per UTC day, so the report covers every day that the range touches, by default the last 30. Every value is counted; those beyond `limit` are summed up as "*".',
          ...schema,
          querystring: BreakdownQuerySchema,
          response: {
            200: {
              ...BreakdownReportSchema,
              description: 'the sum of the days',
              headers: responseHeaderSchemas,
            },
            304: notModified,
            ...problemResponses({ ...notFound, ...refusals }),
          },
        },
      },
      (request, reply) => {
        const { dimension = dimensions, limit, compare } = request.query
        const range = readDayRange(request.query, new Date())
        return responses.send(request, reply, {
          key: `breakdowns ${request.url}`,
          lifetimeMs: listLifetimeMs,
          async make() {
            const { linkId } = await findSubject(database, slugOf(request))
            const { breakdowns, ...sums } = await sumDays(database, linkId, range, limit)
            const before = daysBefore(range)
            return {
              body: JSON.stringify({
                ...describeDays(range, sums),
                ...(compare && {
                  previous: describeDays(
                    before,
                    await sumDayCounts(database, linkId, before.from, before.to),
                  ),
                }),
                breakdowns: mostFrequentValues(breakdowns, inOrder(dimension), limit),
                ...uncertaintyOf(breakdowns, inOrder(dimension), limit),
              }),
            }
          },
        })
      },
    )
  }
}

function inOrder(requested: Dimension[]): Dimension[] {
  return dimensions.filter(dimension => requested.includes(dimension))
}

function describeDays({ from, to }: DayRange, sums: DaySums) {
  return { from, to, ...countsOf(sums), uniques: sums.uniques }
}
