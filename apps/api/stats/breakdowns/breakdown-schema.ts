import { dimensions, listedValues } from '@hopcount/shared/breakdowns.ts'
import type { Static } from 'typebox'
import { Type } from 'typebox'
import { countsProperties } from '../counts.ts'
import { compareProperty, zoneProperty } from '../series/series-schema.ts'

export const dayRangeProperties = {
  from: Type.Optional(
    Type.String({
      description: 'RFC 3339 time or date; the first day is the UTC day that contains it',
    }),
  ),
  to: Type.Optional(
    Type.String({
      description:
        'RFC 3339 time or date, exclusive; the last day is the UTC day that contains the moment before it; defaults to now',
    }),
  ),
}

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
    ...dayRangeProperties,
    ...zoneProperty,
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

const time = Type.String({ format: 'date-time' })
const daysProperties = {
  from: Type.String({ format: 'date-time', description: 'the start of the first UTC day' }),
  to: Type.String({ format: 'date-time', description: 'the end of the last UTC day, exclusive' }),
  ...countsProperties,
  uniques: Type.Integer({ description: 'unique visitors: each is counted once per link and UTC day' }),
}

export const BreakdownReportSchema = Type.Object({
  ...daysProperties,
  previous: Type.Optional(
    Type.Object(
      { ...daysProperties, from: time, to: time },
      { description: 'with compare=previous: the same number of days, just before' },
    ),
  ),
  breakdowns: BreakdownsSchema,
  uncertain: Type.Optional(UncertaintySchema),
})

export type BreakdownValue = Static<typeof BreakdownValueSchema>
export type BreakdownReport = Static<typeof BreakdownReportSchema>
export type Uncertainty = Static<typeof UncertaintySchema>
