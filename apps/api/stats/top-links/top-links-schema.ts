import type { Static } from 'typebox'
import { Type } from 'typebox'
import { LinkStateSchema } from '../../links/link-state.ts'
import { countsProperties } from '../counts.ts'
import { zoneProperty } from '../series/series-schema.ts'

export const TopLinksQuerySchema = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 10 }),
    window: Type.Optional(
      Type.Union([Type.Literal('all'), Type.Literal('24h'), Type.Literal('7d'), Type.Literal('30d')], {
        description: 'the visits to count, by default all; a window begins on a quarter hour',
      }),
    ),
    from: Type.Optional(
      Type.String({
        description:
          'RFC 3339 time or date, instead of `window`; the first quarter hour is the one that contains it',
      }),
    ),
    to: Type.Optional(Type.String({ description: 'RFC 3339 time or date, exclusive; defaults to now' })),
    ...zoneProperty,
    sort: Type.Union(
      [
        Type.Literal('humans'),
        Type.Literal('visits'),
        Type.Literal('uniques'),
        Type.Literal('last_visit'),
        Type.Literal('growth'),
      ],
      {
        default: 'visits',
        description:
          'highest first, ties by age, oldest link first; humans: visits by humans; uniques: all figures are of the whole UTC days that the window touches; growth: the increase in visits over the preceding period of equal length',
      },
    ),
    search: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2_048,
        description:
          'only links whose slug starts with this text, or that lead to this URL; a short URL of this service finds its link. Includes links without visits',
      }),
    ),
    sparkline: Type.Boolean({ default: false, description: 'adds the last 7 days of each link' }),
    after: Type.Optional(
      Type.String({
        pattern: '^m?\\d{1,16}\\.\\d{1,16}$',
        description: 'the next page, from the `Link` header',
      }),
    ),
  },
  { additionalProperties: false },
)

export type TopLinksQuery = Static<typeof TopLinksQuerySchema>

const time = Type.String({ format: 'date-time' })

const TopLinkSchema = Type.Object({
  slug: Type.String(),
  short_url: Type.String(),
  long_url: Type.String(),
  ...countsProperties,
  uniques: Type.Optional(
    Type.Integer({
      description:
        'unique visitors per UTC day, summed over the days: each is counted once per link and UTC day. In a window only if it consists of whole UTC days',
    }),
  ),
  last_visit: Type.Union([time, Type.Null()], { description: 'of all time' }),
  created_at: time,
  state: LinkStateSchema,
  growth: Type.Optional(
    Type.Integer({
      description: 'with sort=growth: the increase in visits over the preceding period of equal length',
    }),
  ),
  sparkline: Type.Optional(
    Type.Array(Type.Integer(), {
      description: 'with sparkline=true: visits by humans on each of the last 7 UTC days, oldest first',
    }),
  ),
})

export const TopLinksSchema = Type.Array(TopLinkSchema)

export type ListedLink = Static<typeof TopLinkSchema>
