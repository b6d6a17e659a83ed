/**
 * `GET /stats/:slug/breakdowns` and `GET /stats/overall/breakdowns`: read from daily aggregates, so their time does not
 * grow with the number of visits. Only the parts of UTC days at either end of a range are counted from raw visits, in
 * bounded time.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Dimension } from '@hopcount/shared/breakdowns.ts'
import { dimensions } from '@hopcount/shared/breakdowns.ts'
import { problemResponses } from '../../errors/problem.ts'
import { bucketsBefore } from '../series/buckets-before.ts'
import { readSeriesRange } from '../series/series-range.ts'
import { listLifetimeMs, notModified, refusals, responseHeaderSchemas } from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import { findSubject, reportPaths, slugOf } from '../subject.ts'
import { breakdownReport } from './breakdown-report.ts'
import { BreakdownQuerySchema, BreakdownReportSchema } from './breakdown-schema.ts'
import type { RangeBreakdowns } from './range-breakdowns.ts'

export interface BreakdownContext extends StatsContext {
  ranges: RangeBreakdowns
}

export const breakdownRoutes: FastifyPluginAsyncTypebox<BreakdownContext> = async (
  app,
  { database, responses, config, ranges },
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
            'Of the same range as the series with the same `interval`, `from`, `to` and `tz`. Breakdowns are kept per UTC day; where the range begins or ends within one, its part is counted from raw visits. If that is not possible, the report covers the whole UTC days that the range touches, and says so in `widened_because`. Every value is counted; those beyond `limit` are summed up as "*".',
          ...schema,
          querystring: BreakdownQuerySchema,
          response: {
            200: {
              ...BreakdownReportSchema,
              description: 'the breakdowns, and the counts of the range',
              headers: responseHeaderSchemas,
            },
            304: notModified,
            ...problemResponses({ ...notFound, ...refusals }),
          },
        },
      },
      (request, reply) => {
        const { dimension = dimensions, limit, compare } = request.query
        const now = new Date()
        const buckets = readSeriesRange(request.query, now)
        const compared = compare && {
          ...{ compare, now },
          before: bucketsBefore(buckets, compare, request.query.tz, now),
        }
        return responses.send(request, reply, {
          key: `breakdowns ${request.url}`,
          lifetimeMs: listLifetimeMs,
          async make() {
            const { linkId } = await findSubject(database, slugOf(request))
            const query = { linkId, buckets, compared, dimensions: inOrder(dimension), limit }
            return { body: JSON.stringify(await breakdownReport(database, ranges, query)) }
          },
        })
      },
    )
  }
}

function inOrder(requested: Dimension[]): Dimension[] {
  return dimensions.filter(dimension => requested.includes(dimension))
}
