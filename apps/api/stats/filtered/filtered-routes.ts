/** `GET /stats/:slug/filtered` and `GET /stats/overall/filtered`: any combination of filters, counted from raw visits. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { dimensions } from '@hopcount/shared/breakdowns.ts'
import { LRUCache } from 'lru-cache'
import type { Problem } from '../../errors/problem.ts'
import { problemResponses } from '../../errors/problem.ts'
import { mostFrequentValues, withPreviousCounts } from '../breakdowns/breakdown-values.ts'
import { countFiltered, tooLong, tooLongDescription } from '../raw/count-filtered.ts'
import { readFilters } from '../raw/filters.ts'
import { learnRangeLimits } from '../raw/longest-range.ts'
import { bucketsBefore } from '../series/buckets-before.ts'
import { previousOf, sumOfRange } from '../series/read-series.ts'
import { readSeriesRange } from '../series/series-range.ts'
import { listLifetimeMs, notModified, refusals, responseHeaderSchemas } from '../shared-responses.ts'
import type { RawContext } from '../stats-context.ts'
import { findSubject, reportPaths, slugOf } from '../subject.ts'
import { filteredComparisons } from './filtered-comparison.ts'
import { FilteredQuerySchema, FilteredReportSchema } from './filtered-schema.ts'
import { mostVisited } from './most-visited.ts'

/** The page repeats what was refused only when something in it changes; others may not. */
const refusedForMs = 60_000

export const filteredRoutes: FastifyPluginAsyncTypebox<RawContext> = async (
  app,
  { database, responses, config, rawTurns },
) => {
  const limits = learnRangeLimits()
  /** A request that took too long costs nothing when it is repeated. */
  const refused = new LRUCache<string, Problem>({ max: 1_000, ttl: refusedForMs })
  const comparisons = filteredComparisons()
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
        const now = new Date()
        const buckets = readSeriesRange(request.query, now)
        const { compare, tz } = request.query
        const before = compare && bucketsBefore(buckets, compare, tz, now)
        const filters = readFilters(request.query)
        const topLinks = id === 'overall' ? request.query.top_links : undefined
        return responses.send(request, reply, {
          key: `filtered ${request.url}`,
          lifetimeMs: listLifetimeMs,
          async make() {
            const known = refused.get(request.url)
            if (known !== undefined) throw known
            const { linkId } = await findSubject(database, slugOf(request))
            const endTurn = await rawTurns.take()
            try {
              const began = performance.now()
              const counted = await countFiltered(database, linkId, buckets, filters, topLinks !== undefined)
              if ('tooMuch' in counted) {
                const longest = await limits.longest(database, linkId, buckets, tz, counted)
                const problem = tooLong(counted, longest)
                refused.set(request.url, problem)
                throw problem
              }
              await limits.took(database, linkId, buckets, performance.now() - began)
              const compared =
                before && (await comparisons.count(database, { key: request.url, linkId, before, filters }))
              const values = mostFrequentValues(counted.breakdowns, dimensions, request.query.limit)
              return {
                body: JSON.stringify({
                  ...sumOfRange(buckets, counted.series),
                  series: counted.series,
                  ...(topLinks !== undefined && {
                    top_links: counted.links
                      ? await mostVisited(database, counted.links, request.query.sort, topLinks)
                      : null,
                  }),
                  breakdowns: compared ? withPreviousCounts(values, compared.breakdowns) : values,
                  ...(compared && { previous: previousOf(counted.series, compared.parts, compared.cut) }),
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
