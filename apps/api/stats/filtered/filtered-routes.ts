/** `GET /stats/:slug/filtered` and `GET /stats/overall/filtered`: any combination of filters, counted from raw visits. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { dimensions } from '@hopcount/shared/breakdowns.ts'
import { problemResponses } from '../../errors/problem.ts'
import { mostFrequentValues } from '../breakdowns/breakdown-values.ts'
import { countFiltered, tooLong, tooLongDescription } from '../raw/count-filtered.ts'
import { readFilters } from '../raw/filters.ts'
import { sumOfRange } from '../series/read-series.ts'
import { readSeriesRange } from '../series/series-range.ts'
import { listLifetimeMs, notModified, refusals, responseHeaderSchemas } from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import { findSubject, reportPaths, slugOf } from '../subject.ts'
import type { Turns } from '../turns.ts'
import { FilteredQuerySchema, FilteredReportSchema } from './filtered-schema.ts'

export interface FilteredContext extends StatsContext {
  /** One for each request that reads raw visits. */
  rawTurns: Turns
}

export const filteredRoutes: FastifyPluginAsyncTypebox<FilteredContext> = async (
  app,
  { database, responses, config, rawTurns },
) => {
  for (const { url, id, of, schema, notFound } of reportPaths('filtered')) {
    app.get(
      url,
      {
        config,
        schema: {
          operationId: `${id}Filtered`,
          summary: `The visits of ${of} that match filters`,
          description:
            'Counted from raw visits, so only as far back as they are kept, and only for ranges that can be counted within 2 s.',
          ...schema,
          querystring: FilteredQuerySchema,
          response: {
            200: {
              ...FilteredReportSchema,
              description: 'the visits that match all filters',
              headers: responseHeaderSchemas,
            },
            304: notModified,
            ...problemResponses({ ...notFound, 422: tooLongDescription, ...refusals }),
          },
        },
      },
      (request, reply) => {
        const buckets = readSeriesRange(request.query, new Date())
        const filters = readFilters(request.query)
        return responses.send(request, reply, {
          key: `filtered ${request.url}`,
          lifetimeMs: listLifetimeMs,
          async make() {
            const { linkId } = await findSubject(database, slugOf(request))
            const endTurn = await rawTurns.take()
            try {
              const counted = await countFiltered(database, linkId, buckets, filters)
              if ('tooMuch' in counted) throw tooLong(counted)
              return {
                body: JSON.stringify({
                  ...sumOfRange(buckets, counted.series),
                  series: counted.series,
                  breakdowns: mostFrequentValues(counted.breakdowns, dimensions, request.query.limit),
                }),
              }
            } finally {
              endTurn()
            }
          },
        })
      },
    )
  }
}
