/** The formats of files, for exports of statistics and of links. */
import type { Static } from 'typebox'
import { Type } from 'typebox'

export const formatProperties = {
  format: Type.Union([Type.Literal('csv'), Type.Literal('excel'), Type.Literal('ndjson')], {
    default: 'csv',
    description:
      'csv: with a header line, and an apostrophe before cells that a spreadsheet would take for a formula; excel: CSV to be opened in a spreadsheet, with a byte order mark, times in the zone `tz`, and words for empty values; ndjson: one object of the API per line',
  }),
  separator: Type.Union([Type.Literal('comma'), Type.Literal('semicolon')], {
    default: 'comma',
    description: 'of `format=excel`: Excel expects a semicolon in countries that write decimals with a comma',
  }),
}

const FormatSchema = Type.Object(formatProperties)
export type FileFormat = Static<typeof FormatSchema>

export const exportContentTypes = {
  csv: 'text/csv; charset=utf-8',
  excel: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
}

export const fileEndings = { csv: 'csv', excel: 'csv', ndjson: 'ndjson' }

/** The response as the OpenAPI document describes it. */
export const exportContent = {
  'text/csv': { schema: Type.String() },
  'application/x-ndjson': { schema: Type.String() },
}
