/** From the query of a series to its buckets: where each hour, day, week or month begins in the zone asked for. */
import { dayMs, minutesReachBackMs } from '@hopcount/shared/days.ts'
import type { Static } from 'typebox'
import { Type } from 'typebox'
import { Problem } from '../../errors/problem.ts'

export const zoneProperty = {
  tz: Type.String({
    default: 'UTC',
    maxLength: 64,
    description: 'IANA time zone whose hours, days, weeks and months are counted, and in which dates begin',
  }),
}

export const compareProperty = {
  compare: Type.Optional(
    Type.Literal('previous', { description: 'adds the period of equal length just before' }),
  ),
}

export const seriesProperties = {
  interval: Type.Union(
    [
      Type.Literal('minute'),
      Type.Literal('hour'),
      Type.Literal('day'),
      Type.Literal('week'),
      Type.Literal('month'),
    ],
    {
      default: 'day',
      description: 'weeks begin on Monday (ISO 8601); minutes are kept for the last 48 hours',
    },
  ),
  from: Type.Optional(
    Type.String({ description: 'RFC 3339 time or date; the interval that holds it is the first' }),
  ),
  to: Type.Optional(Type.String({ description: 'RFC 3339 time or date, exclusive; now when absent' })),
  ...zoneProperty,
}

const SeriesQuerySchema = Type.Object(seriesProperties)

export type SeriesQuery = Static<typeof SeriesQuerySchema>
type SeriesInterval = SeriesQuery['interval']

/** The intervals of a series, one after the other: each ends where the next begins, the last one at `end`. */
export interface Buckets {
  interval: SeriesInterval
  starts: Date[]
  end: Date
}

const maxDays = 366
const minuteMs = 60_000
const quarterMs = 15 * minuteMs
const hourMs = 4 * quarterMs
/** How far back minutes are kept, and a minute more: a client's "48 hours ago" is a moment old when it arrives. */
const minutesReachMs = minutesReachBackMs + minuteMs
/** What an interval shows when no `from` is given. */
const defaultSpanMs = {
  minute: hourMs,
  hour: 2 * dayMs,
  day: 30 * dayMs,
  week: 26 * 7 * dayMs,
  month: 365 * dayMs,
}

/**
 * Reads the query of a series; 400 where range or zone is impossible. A date without time begins in the zone asked for.
 * The bucket that holds `from` is the first, the one that holds the moment before `to` the last; both are whole.
 */
export function readSeriesRange(query: SeriesQuery, now: Date): Buckets {
  const { interval } = query
  const { from, to, timeZone } = readRange(query, now, to => to - defaultSpanMs[interval])
  if (interval === 'minute') {
    checkMinutes(from, now)
    if (to - from > minutesReachMs) throw queryProblem('from', 'A range of minutes has at most 48 hours.')
  }
  const starts = bucketStarts(interval, from, to, timeZone)
  const end = starts.pop() ?? to
  return { interval, starts: starts.map(start => new Date(start)), end: new Date(end) }
}

/** From `from` to `to`, exclusive, in ms since 1970; 400 where they or the zone are impossible. */
export function readRange(
  query: { from?: string; to?: string; tz: string },
  now: Date,
  defaultFrom: (to: number) => number,
): { from: number; to: number; timeZone: string } {
  const timeZone = readTimeZone(query.tz)
  const to = query.to === undefined ? now.getTime() : readTime('to', query.to, timeZone)
  const from =
    query.from === undefined ? Math.max(0, defaultFrom(to)) : readTime('from', query.from, timeZone)
  if (from >= to) throw queryProblem('from', 'from must lie before to.')
  if (zoned(from, timeZone).add({ days: maxDays }).epochMilliseconds < to)
    throw queryProblem('from', `A range has at most ${maxDays} days.`)
  return { from, to, timeZone }
}

export interface BucketsBefore extends Buckets {
  /** Where these were when they had gone on for as long as the running ones have now; undefined: those are over. */
  soFar: Date | undefined
}

/** As many buckets of the same interval, just before. */
export function bucketsBefore(buckets: Buckets, tz: string, now: Date): BucketsBefore {
  const { interval, starts, end } = buckets
  const timeZone = readTimeZone(tz)
  const first = (starts[0] ?? end).getTime()
  // One more: in a zone that once skipped a day (Apia, 2011) a calendar step back can pass over none.
  const span = { [`${interval}s`]: starts.length + 1 }
  const from = zoned(first, timeZone).subtract(span).epochMilliseconds
  const all = bucketStarts(interval, from, first, timeZone).filter(start => start < first)
  const previous = all.slice(-starts.length).map(start => new Date(start))
  if (interval === 'minute') checkMinutes(previous[0]?.getTime() ?? first, now)
  const before = { interval, starts: previous, end: new Date(first) }
  return { ...before, soFar: sameTimeBefore(buckets, before, now) }
}

/** In full hours (old counts are kept by the hour), of hours in full quarters. A minute is too short to be cut. */
function sameTimeBefore({ interval, starts, end }: Buckets, before: Buckets, now: Date): Date | undefined {
  const last = starts.at(-1)
  const lastBefore = before.starts.at(-1)
  if (interval === 'minute' || last === undefined || lastBefore === undefined) return undefined
  if (now < last || now >= end) return undefined
  const unit = interval === 'hour' ? quarterMs : hourMs
  const gone = Math.round((now.getTime() - last.getTime()) / unit) * unit
  return new Date(Math.min(lastBefore.getTime() + gone, before.end.getTime()))
}

function checkMinutes(from: number, now: Date): void {
  if (from < now.getTime() - minutesReachMs)
    throw queryProblem('from', 'Minutes are kept for 48 hours; ask for hours or days.')
}

/** Names only: an offset such as +02:00 is no place whose clocks change. */
function readTimeZone(name: string): string {
  try {
    if (/^[A-Za-z]/.test(name))
      return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
  } catch {}
  throw queryProblem('tz', 'tz must be the name of an IANA time zone, for example Europe/Berlin.')
}

function readTime(field: 'from' | 'to', text: string, timeZone: string): number {
  try {
    const milliseconds = /^\d{4}-\d{2}-\d{2}$/.test(text)
      ? Temporal.PlainDate.from(text).toZonedDateTime(timeZone).epochMilliseconds
      : Temporal.Instant.from(text).epochMilliseconds
    const year = new Date(milliseconds).getUTCFullYear()
    if (year >= 1970 && year <= 9999) return milliseconds
  } catch {}
  throw queryProblem(field, `${field} must be an RFC 3339 time with zone, or a date.`)
}

/** Where the buckets begin that cover [from, to), and last of all where the one behind them begins. */
function bucketStarts(interval: SeriesInterval, from: number, to: number, timeZone: string): number[] {
  const starts: number[] = []
  const next = nextStart(interval, timeZone)
  let start = bucketStart(interval, zoned(from, timeZone))
  for (; start < to; start = next(start)) starts.push(start)
  starts.push(start)
  return starts
}

/** A day whose midnight is skipped begins later; one whose midnight comes twice begins with the first. */
function bucketStart(interval: SeriesInterval, moment: Temporal.ZonedDateTime): number {
  if (interval === 'minute') return Math.floor(moment.epochMilliseconds / minuteMs) * minuteMs
  if (interval === 'hour') return hourStart(moment)
  if (interval === 'week') moment = moment.subtract({ days: moment.dayOfWeek - 1 })
  if (interval === 'month') moment = moment.with({ day: 1 })
  return moment.startOfDay().epochMilliseconds
}

/** An hour on the clock, of one offset: where clocks shift by less than an hour, or inside one, it is cut off there. */
function hourStart(moment: Temporal.ZonedDateTime): number {
  const offsetMs = moment.offsetNanoseconds / 1e6
  const onTheClock = Math.floor((moment.epochMilliseconds + offsetMs) / hourMs) * hourMs - offsetMs
  const shift = moment.add({ milliseconds: 1 }).getTimeZoneTransition('previous')
  return Math.max(onTheClock, shift?.epochMilliseconds ?? onTheClock)
}

function nextStart(interval: SeriesInterval, timeZone: string): (start: number) => number {
  if (interval === 'minute') return start => start + minuteMs
  return interval === 'hour' ? hoursFrom(timeZone) : calendarFrom(interval, timeZone)
}

function calendarFrom(interval: 'day' | 'week' | 'month', timeZone: string): (start: number) => number {
  return start =>
    zoned(start, timeZone)
      .add({ [`${interval}s`]: 1 })
      .startOfDay().epochMilliseconds
}

/** A year has 8,784 hours: the zone is asked once per shift of its clocks. */
function hoursFrom(timeZone: string): (start: number) => number {
  let shift = Number.NEGATIVE_INFINITY
  let offsetMs = 0
  return start => {
    if (start >= shift) {
      const moment = zoned(start, timeZone)
      offsetMs = moment.offsetNanoseconds / 1e6
      shift = moment.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY
    }
    const next = (Math.floor((start + offsetMs) / hourMs) + 1) * hourMs - offsetMs
    return Math.min(next, shift)
  }
}

function zoned(milliseconds: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(milliseconds).toZonedDateTimeISO(timeZone)
}

export function queryProblem(parameter: string, detail: string): Problem {
  return new Problem(400, detail, { errors: [{ pointer: `#/${parameter}`, detail }] })
}
