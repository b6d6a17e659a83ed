import type { Static } from 'typebox'
import { Type } from 'typebox'
import { LinkStateSchema } from '../links/link-state.ts'
import { countsProperties } from './counts.ts'
import { compareProperty, rangeAndSeriesProperties, seriesProperties } from './series/series-schema.ts'
import { VisitSchema } from './visits/visit-schema.ts'

export const LinkStatsQuerySchema = Type.Object(
  { ...seriesProperties, ...compareProperty },
  { additionalProperties: false },
)
export type LinkStatsQuery = Static<typeof LinkStatsQuerySchema>

const time = Type.String({ format: 'date-time' })
const nullableTime = Type.Union([time, Type.Null()])

const totalsProperties = {
  ...countsProperties,
  uniques: Type.Integer({
    description: 'unique visitors of all time: each is counted once per link and UTC day',
  }),
  misdated: Type.Integer({
    description:
      'of the visits, those whose own time cannot be right (more than three years before or two days after they were recorded); they are counted at that bound',
  }),
  first_visit: nullableTime,
  last_visit: nullableTime,
}

export const LinkStatsSchema = Type.Object({
  slug: Type.String(),
  short_url: Type.String(),
  long_url: Type.String(),
  created_at: time,
  expires_at: nullableTime,
  state: LinkStateSchema,
  deleted_at: nullableTime,
  gone_requests: Type.Integer({
    description:
      'requests since the link expired, by humans and bots: not redirected, and so no visits; a crash may lose the last seconds of them',
  }),
  ...totalsProperties,
  ...rangeAndSeriesProperties,
  recent: Type.Array(VisitSchema, { description: 'the latest 20 visits, newest first' }),
})

export const OverallStatsSchema = Type.Object({
  ...totalsProperties,
  links: Type.Integer({ description: 'the number of links' }),
  ...rangeAndSeriesProperties,
})

export type LinkStats = Static<typeof LinkStatsSchema>
export type OverallStats = Static<typeof OverallStatsSchema>
