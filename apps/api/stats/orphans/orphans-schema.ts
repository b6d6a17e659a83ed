import type { Static } from 'typebox'
import { Type } from 'typebox'

const dayRangeProperties = {
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

export const OrphansQuerySchema = Type.Object(
  { ...dayRangeProperties, limit: Type.Integer({ minimum: 1, maximum: 100, default: 10 }) },
  { additionalProperties: false },
)

export const OrphansSchema = Type.Object({
  from: Type.String({ format: 'date-time', description: 'the start of the first UTC day' }),
  to: Type.String({ format: 'date-time', description: 'the end of the last UTC day, exclusive' }),
  requests: Type.Integer({ description: 'requests for slugs that were not links' }),
  slugs: Type.Array(
    Type.Object({
      slug: Type.String({
        description:
          'as requested: also a damaged link that led nowhere, such as `tour)`; at most 80 characters',
      }),
      requests: Type.Integer({
        description:
          'never too high; on days with more than 1,000 such slugs it may be too low, by at most a thousandth of the other requests',
      }),
      last_day: Type.String({ format: 'date', description: 'the last UTC day with a request' }),
    }),
    { description: 'most requested first, without those that have become links' },
  ),
  others: Type.Integer({ description: 'requests for slugs that are not listed' }),
})

export type Orphans = Static<typeof OrphansSchema>
