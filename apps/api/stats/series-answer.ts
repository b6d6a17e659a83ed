/** A series as answers show it, and the one before it. */
import type { Database } from '@hopcount/shared/database.ts'
import { Type } from 'typebox'
import { countsProperties, sumCounts } from './counts.ts'
import type { Bucket } from './series-queries.ts'
import { visitSeries } from './series-queries.ts'
import type { Buckets } from './series-range.ts'

const time = Type.String({ format: 'date-time' })

export const SeriesSchema = Type.Array(Type.Object({ start: time, ...countsProperties }), {
  description: 'visits per interval, empty ones included',
})

export const RangeSchema = Type.Object(
  {
    from: time,
    to: Type.String({ format: 'date-time', description: 'exclusive' }),
    ...countsProperties,
  },
  { description: 'the series together' },
)

export const seriesAnswerProperties = {
  range: RangeSchema,
  series: SeriesSchema,
  previous: Type.Optional(
    Type.Object(
      { ...RangeSchema.properties, series: SeriesSchema },
      { description: 'with compare=previous: as many intervals just before' },
    ),
  ),
}

/** `range`, `series` and, where there are buckets before, `previous`, from one reading of the table. */
export async function readSeries(
  database: Database,
  linkId: number,
  buckets: Buckets,
  before: Buckets | undefined,
) {
  const starts = [...(before?.starts ?? []), ...buckets.starts]
  const all = await visitSeries(database, linkId, { ...buckets, starts })
  const previous = all.slice(0, before?.starts.length ?? 0)
  const series = all.slice(previous.length)
  return {
    range: rangeAnswer(buckets, series),
    series,
    ...(before && { previous: { ...rangeAnswer(before, previous), series: previous } }),
  }
}

export function rangeAnswer({ starts, end }: Buckets, series: Bucket[]) {
  return { from: starts[0] ?? end, to: end, ...sumCounts(series) }
}
