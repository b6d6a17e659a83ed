/** A series as answers show it, and the one before it. */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { Type } from 'typebox'
import type { Counts } from '../counts.ts'
import { countsProperties, sumCounts } from '../counts.ts'
import { visitSeries } from './series-queries.ts'
import type { Buckets, BucketsBefore } from './series-range.ts'

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
      {
        ...RangeSchema.properties,
        series: SeriesSchema,
        so_far: Type.Optional(
          Type.Object(
            { to: time, ...countsProperties },
            {
              description:
                'while the last interval of the range is running: as far as the same time of the one before, in full hours (of hours: quarters)',
            },
          ),
        ),
      },
      { description: 'with compare=previous: as many intervals just before' },
    ),
  ),
}

/** `range`, `series` and, where there are buckets before, `previous`, from one reading of the table. */
export async function readSeries(
  database: Database,
  linkId: number,
  buckets: Buckets,
  before: BucketsBefore | undefined,
) {
  if (before === undefined) {
    const series = await visitSeries(database, linkId, buckets)
    return { range: rangeAnswer(buckets, series), series }
  }
  const { starts, soFar } = before
  // The last of those before is read in two, so that it can be told what it had at this time.
  const isCut = soFar !== undefined && soFar > (starts.at(-1) ?? soFar) && soFar < before.end
  const cuts = isCut ? [...starts, soFar] : starts
  const all = await visitSeries(database, linkId, { ...buckets, starts: [...cuts, ...buckets.starts] })
  const series = all.slice(cuts.length)
  const cut = all.slice(0, cuts.length)
  const previous = isCut ? [...cut.slice(0, -2), { ...cut.at(-2), ...sumCounts(cut.slice(-2)) }] : cut
  return {
    range: rangeAnswer(buckets, series),
    series,
    previous: {
      ...rangeAnswer(before, previous),
      series: previous,
      ...(soFar && { so_far: { to: soFar, ...sumCounts(cut.filter(({ start }) => start < soFar)) } }),
    },
  }
}

export function rangeAnswer({ starts, end }: Buckets, series: Counts[]) {
  return { from: starts[0] ?? end, to: end, ...sumCounts(series) }
}
