import { dimensions, listedValues } from '@hopcount/shared/breakdowns.ts'
import type { Static } from 'typebox'
import { Type } from 'typebox'
import { countsProperties } from '../counts.ts'
import { compareProperty, seriesProperties } from '../series/series-schema.ts'

export const limitProperty = {
  limit: Type.Integer({
    minimum: 10,
    maximum: listedValues,
    default: 10,
    description: 'values listed per dimension; the others are summed up as "*"',
  }),
}

const DimensionSchema = Type.Union([
  Type.Literal('referrer'),
  Type.Literal('channel'),
  Type.Literal('country'),
  Type.Literal('browser'),
  Type.Literal('os'),
  Type.Literal('device'),
  Type.Literal('language'),
  Type.Literal('bot'),
  Type.Literal('bot_group'),
])

export const BreakdownQuerySchema = Type.Object(
  {
    ...seriesProperties,
    dimension: Type.Optional(
      Type.Array(DimensionSchema, {
        maxItems: dimensions.length,
        description: 'may be repeated; defaults to all',
      }),
    ),
    ...limitProperty,
    ...compareProperty,
  },
  { additionalProperties: false },
)

const BreakdownValueSchema = Type.Object({
  value: Type.String({
    description:
      'a host or the name of a known source, "search", "DE", "Firefox", "Windows", "mobile", "de", "Googlebot", "search"; "": unknown, or no referrer, or of bots: humans; of channels and bots also visits that an older version recorded; "*": all others',
  }),
  visits: Type.Integer(),
  humans: Type.Integer({ description: 'visits by humans' }),
  previous: Type.Optional(
    Type.Object(
      { visits: Type.Integer(), humans: Type.Integer() },
      {
        description:
          'with `compare`: the counts of this value in the range compared with, up to the same point while the range is in progress. Only where they are known exactly',
      },
    ),
  ),
})

const ValuesSchema = Type.Array(BreakdownValueSchema)

export const BreakdownsSchema = Type.Partial(
  Type.Object({
    referrer: ValuesSchema,
    channel: ValuesSchema,
    country: ValuesSchema,
    browser: ValuesSchema,
    os: ValuesSchema,
    device: ValuesSchema,
    language: ValuesSchema,
    bot: ValuesSchema,
    bot_group: ValuesSchema,
  }),
  { description: 'most visits first, "*" last; the visits of each dimension add up to those of the report' },
)

const UncertaintySchema = Type.Partial(
  Type.Object({
    referrer: Type.Object({
      missing_at_most: Type.Integer({
        description: 'visits that a listed value may have beyond those shown',
      }),
      unnamed_at_most: Type.Integer({ description: 'visits that a value that is not listed may have' }),
    }),
  }),
  {
    description:
      'only if a day had too many values to keep them all: how far the list of a dimension may be off. Without it the list is exact',
  },
)

const widenedReasons = ['retention', 'too_many_visits', 'folded_quarters'] as const
export type WidenedBecause = (typeof widenedReasons)[number]

const time = Type.String({ format: 'date-time' })
const rangeProperties = {
  from: time,
  to: Type.String({ format: 'date-time', description: 'exclusive' }),
  ...countsProperties,
}
const uniquesPerDay = Type.Integer({
  description:
    'unique visitors per UTC day, summed over the days: each is counted once per link and UTC day. Only if the range consists of whole UTC days',
})
const visitorsProperties = {
  from: Type.String({ format: 'date-time', description: 'the start of the first UTC day' }),
  to: Type.String({ format: 'date-time', description: 'the end of the last UTC day, exclusive' }),
  uniques: Type.Integer({
    description:
      'unique visitors per UTC day, summed over the days: each is counted once per link and UTC day',
  }),
}
const dayProperties = { ...visitorsProperties, ...countsProperties }

export const BreakdownReportSchema = Type.Object({
  ...rangeProperties,
  uniques: Type.Optional(uniquesPerDay),
  widened_because: Type.Optional(
    Type.Unsafe<WidenedBecause>(
      Type.Union(
        widenedReasons.map(reason => Type.Literal(reason)),
        {
          description:
            'only if the report covers the whole UTC days that the requested range touches instead of the range itself: at one of its ends raw visits are no longer kept, or are too many to be counted, or counts are kept by full UTC hours only',
        },
      ),
    ),
  ),
  previous: Type.Optional(
    Type.Object(
      { ...rangeProperties, uniques: Type.Optional(uniquesPerDay) },
      {
        description:
          'with `compare`: the range compared with, as in the series; of a widened range the UTC days that it touches, or with compare=previous the same number of days, just before',
      },
    ),
  ),
  utc_days: Type.Optional(
    Type.Object(
      {
        ...dayProperties,
        previous: Type.Optional(
          Type.Object(dayProperties, {
            description:
              'with compare=previous: the same number of days, just before; else the days that the range compared with touches',
          }),
        ),
      },
      {
        description:
          'only if the range does not consist of whole UTC days: unique visitors, and the visits that they made, of the UTC days that it touches. Who came is known per UTC day only',
      },
    ),
  ),
  full_days: Type.Optional(
    Type.Object(
      { ...visitorsProperties, previous: Type.Object(visitorsProperties) },
      {
        description:
          'with `compare`, while the range is in progress: the unique visitors of those of its UTC days that are over, and of the same days of the range compared with',
      },
    ),
  ),
  breakdowns: BreakdownsSchema,
  uncertain: Type.Optional(UncertaintySchema),
})

export type BreakdownValue = Static<typeof BreakdownValueSchema>
export type BreakdownReport = Static<typeof BreakdownReportSchema>
export type Uncertainty = Static<typeof UncertaintySchema>
