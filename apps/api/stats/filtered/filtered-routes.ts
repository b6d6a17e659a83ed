/** `GET /stats/:slug/filtered` and `GET /stats/overall/filtered`: any combination of filters, from raw visits. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { dimensions } from '@hopcount/shared/breakdowns.ts'
import { Type } from 'typebox'
import { problemResponses } from '../../errors/problem.ts'
import { BreakdownsSchema, breakdownsAnswer, limitProperty } from '../breakdowns/breakdown-values.ts'
import { RangeSchema, rangeAnswer, SeriesSchema } from '../series/read-series.ts'
import { readSeriesRange, seriesProperties } from '../series/series-range.ts'
import { answerHeaderSchemas, listLifetimeMs, notModified, refusals } from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import { findSubject, reportAddresses, slugOf } from '../subject.ts'
import { createTurns } from '../turns.ts'
import { countFiltered, tooLong, tooLongDescription } from './count-filtered.ts'
import { filterProperties, readFilters } from './filters.ts'

const QuerySchema = Type.Object(
  {
    ...seriesProperties,
    ...filterProperties,
    ...limitProperty,
  },
  { additionalProperties: false },
)

const AnswerSchema = Type.Object({
  ...RangeSchema.properties,
  series: SeriesSchema,
  breakdowns: BreakdownsSchema,
})

/** Of the four connections for statistics at most two are taken by what may take seconds. */
const atATime = 2
const waitMs = 1_000

export const filteredRoutes: FastifyPluginAsyncTypebox<StatsContext> = async (
  app,
  { database, answers, config },
) => {
  const turns = createTurns({
    max: atATime,
    waitMs,
    refusal: 'Too many filtered reports at the moment. Please try again.',
  })
  for (const { url, id, of, schema, notFound } of reportAddresses('filtered')) {
    app.get(
      url,
      {
        config,
        schema: {
          operationId: `${id}Filtered`,
          summary: `The visits of ${of} that pass filters`,
          description:
            'Counted from raw visits, so only as far back as they are kept, and not for longer ranges than can be counted in 2 s.',
          ...schema,
          querystring: QuerySchema,
          response: {
            200: {
              ...AnswerSchema,
              description: 'the visits that pass all filters',
              headers: answerHeaderSchemas,
            },
            304: notModified,
            ...problemResponses({
              ...notFound,
              422: tooLongDescription,
              ...refusals,
            }),
          },
        },
      },
      (request, reply) => {
        const buckets = readSeriesRange(request.query, new Date())
        const filters = readFilters(request.query)
        return answers.send(request, reply, {
          key: `filtered ${request.url}`,
          lifetimeMs: listLifetimeMs,
          async make() {
            const { linkId } = await findSubject(database, slugOf(request))
            const endTurn = await turns.take()
            try {
              const counted = await countFiltered(database, linkId, buckets, filters)
              if ('tooMuch' in counted) throw tooLong(counted)
              return {
                body: JSON.stringify({
                  ...rangeAnswer(buckets, counted.series),
                  series: counted.series,
                  breakdowns: breakdownsAnswer(counted.breakdowns, dimensions, request.query.limit),
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
