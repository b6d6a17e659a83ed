import type { Static } from 'typebox'
import { Type } from 'typebox'
import { LinkStateSchema } from '../../links/link-state.ts'
import { BreakdownsSchema, limitProperty } from '../breakdowns/breakdown-schema.ts'
import { filterProperties } from '../raw/filter-schema.ts'
import {
  compareProperty,
  PreviousSchema,
  RangeSchema,
  SeriesSchema,
  seriesProperties,
} from '../series/series-schema.ts'

export const FilteredQuerySchema = Type.Object(
  {
    ...seriesProperties,
    ...filterProperties,
    ...limitProperty,
    ...compareProperty,
    top_links: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description: 'of all links together: also the links with the most of these visits, and how many',
      }),
    ),
    sort: Type.Union([Type.Literal('visits'), Type.Literal('humans')], {
      default: 'visits',
      description:
        'the order of `top_links`, highest first, ties by all visits, then by age, oldest link first',
    }),
  },
  { additionalProperties: false },
)

export const FilteredReportSchema = Type.Object({
  ...RangeSchema.properties,
  series: SeriesSchema,
  breakdowns: BreakdownsSchema,
  top_links: Type.Optional(
    Type.Union(
      [
        Type.Array(
          Type.Object({
            slug: Type.String(),
            long_url: Type.String(),
            state: LinkStateSchema,
            visits: Type.Integer(),
            humans: Type.Integer(),
          }),
        ),
        Type.Null(),
      ],
      { description: 'with `top_links`; null if they could not be counted in time' },
    ),
  ),
  previous: Type.Optional(PreviousSchema),
})

export type FilteredReport = Static<typeof FilteredReportSchema>
