/** `GET /stats/:slug/breakdowns` and `GET /stats/overall/breakdowns`: from the days' aggregates, whatever the number of visits. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Dimension } from '@hopcount/shared/breakdowns.ts'
import { dimensions } from '@hopcount/shared/breakdowns.ts'
import { Type } from 'typebox'
import { problemResponses } from '../../errors/problem.ts'
import { countsOf, countsProperties } from '../counts.ts'
import { compareProperty, zoneProperty } from '../series/series-range.ts'
import { answerHeaderSchemas, listLifetimeMs, notModified, refusals } from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import { findSubject, reportAddresses, slugOf } from '../subject.ts'
import {
  BreakdownsSchema,
  breakdownsAnswer,
  dimensionSchema,
  limitProperty,
  UncertaintySchema,
  uncertaintyAnswer,
} from './breakdown-values.ts'
import type { DaySums } from './breakdown-queries.ts'
import { sumDayCounts, sumDays } from './breakdown-queries.ts'
import type { DayRange } from './breakdown-range.ts'
import { daysBefore, readDayRange } from './breakdown-range.ts'

const QuerySchema = Type.Object(
  {
    from: Type.Optional(
      Type.String({ description: 'RFC 3339 time or date; the UTC day that holds it is the first' }),
    ),
    to: Type.Optional(
      Type.String({
        description: 'RFC 3339 time or date, exclusive; the UTC day of the moment before is the last',
      }),
    ),
    ...zoneProperty,
    dimension: Type.Optional(
      Type.Array(dimensionSchema, { maxItems: 6, description: 'may come several times; all when absent' }),
    ),
    ...limitProperty,
    ...compareProperty,
  },
  { additionalProperties: false },
)

const time = Type.String({ format: 'date-time' })
const daysProperties = {
  from: Type.String({ format: 'date-time', description: '0:00 UTC of the first day' }),
  to: Type.String({ format: 'date-time', description: '0:00 UTC behind the last day' }),
  ...countsProperties,
  uniques: Type.Integer({ description: 'people, each once per link and UTC day' }),
}

const AnswerSchema = Type.Object({
  ...daysProperties,
  previous: Type.Optional(
    Type.Object(
      { ...daysProperties, from: time, to: time },
      { description: 'with compare=previous: as many days just before' },
    ),
  ),
  breakdowns: BreakdownsSchema,
  uncertain: Type.Optional(UncertaintySchema),
})

export const breakdownRoutes: FastifyPluginAsyncTypebox<StatsContext> = async (
  app,
  { database, answers, config },
) => {
  for (const { url, id, of, schema, notFound } of reportAddresses('breakdowns')) {
    app.get(
      url,
      {
        config,
        schema: {
          operationId: `${id}Breakdowns`,
          summary: `The visits of ${of} by referrer, country, browser, system, device and language`,
          description:
            'Of whole UTC days, which is how they are kept: those that the range touches, the last 30 without one. Every value is counted; those beyond `limit` are summed as "*".',
          ...schema,
          querystring: QuerySchema,
          response: {
            200: { ...AnswerSchema, description: 'the days together', headers: answerHeaderSchemas },
            304: notModified,
            ...problemResponses({ ...notFound, ...refusals }),
          },
        },
      },
      (request, reply) => {
        const { dimension = dimensions, limit, compare } = request.query
        const range = readDayRange(request.query, new Date())
        return answers.send(request, reply, {
          key: `breakdowns ${request.url}`,
          lifetimeMs: listLifetimeMs,
          async make() {
            const { linkId } = await findSubject(database, slugOf(request))
            const { breakdowns, ...sums } = await sumDays(database, linkId, range, limit)
            const before = daysBefore(range)
            return {
              body: JSON.stringify({
                ...daysAnswer(range, sums),
                ...(compare && {
                  previous: daysAnswer(before, await sumDayCounts(database, linkId, before.from, before.to)),
                }),
                breakdowns: breakdownsAnswer(breakdowns, inOrder(dimension), limit),
                ...uncertaintyAnswer(breakdowns, inOrder(dimension), limit),
              }),
            }
          },
        })
      },
    )
  }
}

function inOrder(asked: Dimension[]): Dimension[] {
  return dimensions.filter(dimension => asked.includes(dimension))
}

function daysAnswer({ from, to }: DayRange, sums: DaySums) {
  return { from, to, ...countsOf(sums), uniques: sums.uniques }
}
