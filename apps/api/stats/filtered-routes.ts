/** `GET /stats/:slug/filtered` and `GET /stats/overall/filtered`: any combination of filters, from raw visits. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { dimensions } from '@hopcount/shared/breakdowns.ts'
import { letterCode } from '@hopcount/shared/letter-codes.ts'
import type { Static } from 'typebox'
import { Type } from 'typebox'
import { Problem, problemResponses } from '../errors/problem.ts'
import { BreakdownsSchema, breakdownsAnswer, limitProperty } from './breakdown-answer.ts'
import type { Filters, TooMuch } from './count-filtered.ts'
import { countFiltered } from './count-filtered.ts'
import { RangeSchema, rangeAnswer, SeriesSchema } from './series-answer.ts'
import { queryProblem, readSeriesRange, seriesProperties } from './series-range.ts'
import { answerHeaderSchemas, listLifetimeMs, notModified, refusals } from './shared-answers.ts'
import type { StatsContext } from './stats-context.ts'
import { findSubject, reportAddresses, slugOf } from './subject.ts'
import { createTurns } from './turns.ts'

const filter = (description: string) => Type.Optional(Type.String({ maxLength: 255, description }))

const QuerySchema = Type.Object(
  {
    ...seriesProperties,
    class: Type.Optional(Type.Union([Type.Literal('human'), Type.Literal('bot'), Type.Literal('preview')])),
    referrer: filter('a value of the breakdown by referrer; empty: visits without one'),
    country: filter('"DE"; empty: not known'),
    browser: filter('a value of the breakdown by browser'),
    os: filter('a value of the breakdown by operating system'),
    device: filter('a value of the breakdown by device'),
    language: filter('"de"; empty: not told'),
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
              422: 'the range is too long for filters; `earliest`: where raw visits begin, if that is why',
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

function readFilters(query: Static<typeof QuerySchema>): Filters {
  const { class: visitorClass, referrer, browser, os, device } = query
  return {
    class: visitorClass,
    referrer,
    browser,
    os,
    device,
    country: readCode('country', query.country, 2),
    language: readCode('language', query.language, 3),
  }
}

function readCode(
  field: 'country' | 'language',
  letters: string | undefined,
  maxLetters: number,
): number | null | undefined {
  if (letters === undefined) return undefined
  if (letters === '') return null
  const code = letters.length <= maxLetters ? letterCode(letters) : undefined
  if (code === undefined)
    throw queryProblem(field, `${field} must be a code of at most ${maxLetters} letters, or empty.`)
  return code
}

function tooLong(reason: TooMuch): Problem {
  if (reason.tooMuch === 'retention') {
    const detail =
      'The range is too long for filters: raw visits, which filters need, do not reach back that far.'
    return new Problem(422, detail, { members: { earliest: reason.earliest.toISOString() } })
  }
  return new Problem(
    422,
    'The range is too long for filters: it holds too many visits. Please ask for a shorter one.',
  )
}
