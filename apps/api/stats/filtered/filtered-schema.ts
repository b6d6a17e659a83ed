import type { Static } from 'typebox'
import { Type } from 'typebox'
import { BreakdownsSchema, limitProperty } from '../breakdowns/breakdown-schema.ts'
import { filterProperties } from '../raw/filter-schema.ts'
import { RangeSchema, SeriesSchema, seriesProperties } from '../series/series-schema.ts'

export const FilteredQuerySchema = Type.Object(
  { ...seriesProperties, ...filterProperties, ...limitProperty },
  { additionalProperties: false },
)

export const FilteredReportSchema = Type.Object({
  ...RangeSchema.properties,
  series: SeriesSchema,
  breakdowns: BreakdownsSchema,
})

export type FilteredReport = Static<typeof FilteredReportSchema>
