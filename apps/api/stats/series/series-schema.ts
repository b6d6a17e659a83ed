import type { Static } from 'typebox'
import { Type } from 'typebox'
import { countsProperties } from '../counts.ts'

export const zoneProperty = {
  tz: Type.String({
    default: 'UTC',
    maxLength: 64,
    description: 'IANA time zone of the hours, days, weeks and months, and of dates without a time',
  }),
}

const ComparisonSchema = Type.Union([Type.Literal('previous'), Type.Literal('month'), Type.Literal('year')], {
  description:
    'adds the counts of an earlier range. previous: the same number of intervals just before; hours are taken from whole days earlier, so that 05:00 stands beside 05:00. month, year: the same dates of the month or year before (of a longer range, as many months or years before as it takes for the ranges not to overlap); whole months are compared with whole months, and 7, 14, 21 or 28 other days with the same days of the week, 28 or 364 days earlier',
})
export type Comparison = Static<typeof ComparisonSchema>

export const compareProperty = { compare: Type.Optional(ComparisonSchema) }

export const seriesProperties = {
  interval: Type.Union(
    [
      Type.Literal('minute'),
      Type.Literal('hour'),
      Type.Literal('day'),
      Type.Literal('week'),
      Type.Literal('month'),
    ],
    {
      default: 'day',
      description: 'weeks begin on Monday (ISO 8601); minutes are kept for 48 hours',
    },
  ),
  from: Type.Optional(
    Type.String({ description: 'RFC 3339 time or date; the first interval is the one that contains it' }),
  ),
  to: Type.Optional(Type.String({ description: 'RFC 3339 time or date, exclusive; defaults to now' })),
  ...zoneProperty,
}

const SeriesQuerySchema = Type.Object(seriesProperties)
export type SeriesQuery = Static<typeof SeriesQuerySchema>
export type SeriesInterval = SeriesQuery['interval']

const time = Type.String({ format: 'date-time' })

const seriesDescription = 'visits per interval, including empty intervals'
const rangeDescription = 'the sum of the series'

export const SeriesSchema = Type.Array(Type.Object({ start: time, ...countsProperties }), {
  description: seriesDescription,
})

export const RangeSchema = Type.Object(
  {
    from: time,
    to: Type.String({ format: 'date-time', description: 'exclusive' }),
    ...countsProperties,
  },
  { description: rangeDescription },
)

const uniquesProperty = {
  uniques: Type.Optional(
    Type.Integer({
      description:
        'unique visitors per UTC day, summed over the days: each is counted once per link and UTC day. Only if every interval consists of whole UTC days',
    }),
  ),
}
const VisitorSeriesSchema = Type.Array(
  Type.Object({ start: time, ...countsProperties, ...uniquesProperty }),
  {
    description: seriesDescription,
  },
)
const VisitorRangeSchema = Type.Object(
  { ...RangeSchema.properties, ...uniquesProperty },
  { description: rangeDescription },
)

/** Also of the visits that match filters, if they can be counted. */
export const PreviousSchema = Type.Object(
  {
    ...VisitorRangeSchema.properties,
    series: VisitorSeriesSchema,
    so_far: Type.Optional(
      Type.Object(
        { to: time, ...countsProperties },
        {
          description:
            'while the range is in progress: the range compared with up to the same point, in full hours (for hours: full quarter hours)',
        },
      ),
    ),
  },
  {
    description:
      'with `compare`: the range compared with. Each interval of its series stands beside the one at the same index of `series`. One without a counterpart (31 October beside September) is empty, and begins when the next one does; what has no counterpart itself is only part of the sum',
  },
)

export const rangeAndSeriesProperties = {
  range: VisitorRangeSchema,
  series: VisitorSeriesSchema,
  previous: Type.Optional(PreviousSchema),
}
