import type { Static } from 'typebox'
import { Type } from 'typebox'
import { filterProperties } from '../raw/filter-schema.ts'
import { seriesProperties } from '../series/series-schema.ts'
import { formatProperties } from './export-formats.ts'

export const ExportQuerySchema = Type.Object(
  {
    what: Type.Union([Type.Literal('visits'), Type.Literal('series'), Type.Literal('breakdowns')], {
      default: 'visits',
      description:
        'the raw visits in the range, newest first, as far back as they are kept; or the data of the other reports. Breakdowns that cannot be counted for exactly the range cover the UTC days that it touches, and the file is named after those. With filters: the visits that match, as in the filtered report',
    }),
    ...formatProperties,
    ...seriesProperties,
    ...filterProperties,
  },
  { additionalProperties: false },
)

export type ExportQuery = Static<typeof ExportQuerySchema>
