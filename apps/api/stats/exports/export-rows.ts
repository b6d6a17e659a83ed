/** The rows of an export, in chunks: the objects of the API's other responses, flattened to texts and numbers. */
import { allLinks } from '@hopcount/shared/all-links.ts'
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import { dimensions, listedValues } from '@hopcount/shared/breakdowns.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayMs, dayNumber, dayText, parseDay } from '@hopcount/shared/days.ts'
import { sql } from 'kysely'
import { breakdownValues } from '../breakdowns/breakdown-values.ts'
import type { RangeBreakdowns } from '../breakdowns/range-breakdowns.ts'
import { loadTextDescriber } from '../describe-texts.ts'
import type { FilteredVisits } from '../raw/count-filtered.ts'
import { countFiltered, tooLong } from '../raw/count-filtered.ts'
import type { Filters } from '../raw/filters.ts'
import { agentPasses, filtersSources, isFiltered, sourcePasses } from '../raw/filters.ts'
import { isCode } from '../raw/raw-queries.ts'
import { isOfWholeDays } from '../series/read-series.ts'
import { visitorSeries, visitSeries } from '../series/series-queries.ts'
import type { Buckets } from '../series/series-range.ts'
import { readInChunks } from '../streaming-database.ts'
import type { Subject } from '../subject.ts'
import { rawVisitsOf } from '../subject.ts'
import { visitDescriber } from '../visits/describe-visit.ts'
import type { RawVisit } from '../visits/visits-queries.ts'
import { newestFirst, visitsWithTexts } from '../visits/visits-queries.ts'

export interface ExportRows {
  columns: string[]
  chunks: AsyncIterable<object[]>
  /** If the rows cover whole UTC days instead of the requested range: those, as the file's name says them. */
  widenedTo?: string[]
}

/** Few enough not to block redirects: describing a new user agent takes some 15 µs. */
const chunkRows = 250

export async function seriesRows(
  database: Database,
  { linkId }: Subject,
  buckets: Buckets,
  filters: Filters,
): Promise<ExportRows> {
  const series = isFiltered(filters)
    ? (await filtered(database, linkId, buckets, filters)).series
    : await (isOfWholeDays(buckets) ? visitorSeries : visitSeries)(database, linkId, buckets)
  const rows = series.map(({ start, ...counts }) => ({ start: start.toISOString(), ...counts }))
  const columns = ['start', 'visits', 'humans', 'bots', 'previews']
  const isWithUniques = series[0]?.uniques !== undefined
  return { columns: isWithUniques ? [...columns, 'uniques'] : columns, chunks: inOneChunk(rows) }
}

export async function breakdownRows(
  database: Database,
  { linkId }: Subject,
  buckets: Buckets,
  filters: Filters,
  ranges: RangeBreakdowns,
): Promise<ExportRows> {
  if (isFiltered(filters)) return valueRows((await filtered(database, linkId, buckets, filters)).breakdowns)
  const { breakdowns, because, from, to } = await ranges.sum(database, linkId, buckets, {
    named: listedValues,
    keys: [],
  })
  const rows = valueRows(breakdowns)
  if (because === undefined) return rows
  const lastDay = dayText(dayNumber(to.getTime() - 1))
  return { ...rows, widenedTo: ['utc', dayText(dayNumber(from.getTime())), lastDay] }
}

function valueRows(breakdowns: Breakdowns): ExportRows {
  const values = breakdownValues(breakdowns)
  const rows = dimensions.flatMap(dimension => values[dimension].map(value => ({ dimension, ...value })))
  return { columns: ['dimension', 'value', 'visits', 'humans'], chunks: inOneChunk(rows) }
}

async function filtered(
  database: Database,
  linkId: number,
  buckets: Buckets,
  filters: Filters,
): Promise<FilteredVisits> {
  const counted = await countFiltered(database, linkId, buckets, filters)
  if ('tooMuch' in counted) throw tooLong(counted)
  return counted
}

async function* inOneChunk(rows: object[]) {
  yield rows
}

/** Newest first. Reads day by day, so that no more than one day's visits are sorted at once. */
export async function visitRows(
  database: Database,
  { linkId }: Subject,
  buckets: Buckets,
  filters: Filters,
): Promise<ExportRows> {
  const isOfAll = linkId === allLinks
  const texts = await loadTextDescriber()
  const describe = await visitDescriber()
  const passes = ({ referrer, userAgent }: RawVisit) =>
    agentPasses(texts.userAgent(userAgent), filters) &&
    (!filtersSources(filters) || sourcePasses(texts.referrer(referrer), filters))
  async function* chunks() {
    for (const day of await daysWithVisits(database, linkId, buckets)) {
      for await (const chunk of readInChunks(database, visitsOfDay(linkId, day, buckets, filters), chunkRows))
        yield chunk.filter(passes).map(visit => {
          const described = describe(visit)
          return { ...described, visited_at: described.visited_at.toISOString() }
        })
    }
  }
  const columns = [
    'visited_at',
    'referrer',
    'user_agent',
    'country',
    'language',
    'class',
    'source',
    'channel',
  ]
  return { columns: isOfAll ? ['slug', ...columns] : columns, chunks: chunks() }
}

async function daysWithVisits(
  database: Database,
  linkId: number,
  { starts, end }: Buckets,
): Promise<number[]> {
  const { rows } = await sql<{ day: string }>`
    SELECT day FROM link_days
    WHERE link_id = ${linkId} AND day >= ${dayText(dayNumber((starts[0] ?? end).getTime()))}::date AND day <= ${dayText(dayNumber(end.getTime() - 1))}::date
    ORDER BY day DESC`.execute(database)
  return rows.map(row => parseDay(row.day))
}

function visitsOfDay(linkId: number, day: number, { starts, end }: Buckets, filters: Filters) {
  const dayStart = day * dayMs
  const from = new Date(Math.max(dayStart, (starts[0] ?? end).getTime()))
  const to = new Date(Math.min(dayStart + dayMs, end.getTime()))
  return visitsWithTexts(
    sql`
      SELECT *, tableoid, ctid FROM visits
      WHERE ${rawVisitsOf(linkId)} AND visited_at >= ${from}::timestamptz AND visited_at < ${to}::timestamptz
        AND date_bin('1 minute', visited_at, 'epoch'::timestamptz) >= ${from}::timestamptz
        AND date_bin('1 minute', visited_at, 'epoch'::timestamptz) < ${to}::timestamptz
        AND ${isCode(sql`country`, filters.country)} AND ${isCode(sql`language`, filters.language)}`,
    linkId,
    newestFirst,
  )
}
