/** From a series' query to its buckets: when each hour, day, week or month begins in the requested zone. */
import { dayMs, minutesReachBackMs } from '@hopcount/shared/days.ts'
import { Problem } from '../../errors/problem.ts'
import type { SeriesInterval, SeriesQuery } from './series-schema.ts'

/** Consecutive intervals: each ends where the next begins, the last one at `end`. */
export interface Buckets {
  interval: SeriesInterval
  starts: Date[]
  end: Date
}

/** A leap year, and a day at either end where the days of another zone are widened to UTC days. */
const maxDays = 368
/** More intervals than that are a longer text than anybody reads; minutes have a bound of their own. */
const maxIntervals = 1_100
const maxDaysBy = {
  minute: maxDays,
  hour: maxDays,
  day: maxIntervals,
  week: maxIntervals * 7,
  month: maxIntervals * 28,
}
const minuteMs = 60_000
const quarterMs = 15 * minuteMs
const hourMs = 4 * quarterMs
/** How far back minutes are kept, plus a minute: a client's "48 hours ago" is slightly old when it arrives. */
const minutesReachMs = minutesReachBackMs + minuteMs
/** The length of the range when no `from` is given. */
const defaultSpanMs = {
  minute: hourMs,
  hour: 2 * dayMs,
  day: 30 * dayMs,
  week: 26 * 7 * dayMs,
  month: 365 * dayMs,
}

/**
 * Reads a series' query; 400 when its range or zone is impossible. A date without a time begins at midnight in the
 * requested zone. The first bucket is the one that contains `from`, the last one contains the moment before `to`; both
 * are whole.
 */
export function readSeriesRange(query: SeriesQuery, now: Date): Buckets {
  const { interval } = query
  const { from, to, timeZone } = readRange(
    query,
    now,
    to => to - defaultSpanMs[interval],
    maxDaysBy[interval],
  )
  if (interval === 'minute') {
    checkMinutes(from, now)
    if (to - from > minutesReachMs) throw queryProblem('from', 'A range of minutes covers at most 48 hours.')
  }
  const starts = bucketStarts(interval, from, to, timeZone)
  const end = starts.pop() ?? to
  return { interval, starts: starts.map(start => new Date(start)), end: new Date(end) }
}

/** The range in milliseconds since 1970, `to` exclusive; 400 when it or the zone is impossible. */
export function readRange(
  query: { from?: string; to?: string; tz: string },
  now: Date,
  defaultFrom: (to: number) => number,
  mostDays = maxDays,
): { from: number; to: number; timeZone: string } {
  const timeZone = readTimeZone(query.tz)
  const to = query.to === undefined ? now.getTime() : readTime('to', query.to, timeZone)
  const from =
    query.from === undefined ? Math.max(0, defaultFrom(to)) : readTime('from', query.from, timeZone)
  if (from >= to) throw queryProblem('from', 'from must be before to.')
  if (zoned(from, timeZone).add({ days: mostDays }).epochMilliseconds < to)
    throw queryProblem('from', `A range covers at most ${mostDays} days.`)
  return { from, to, timeZone }
}

/** 400 when minutes since `from` are no longer kept. */
export function checkMinutes(from: number, now: Date): void {
  if (!hasMinutes(from, now))
    throw queryProblem('from', 'Minutes are kept for 48 hours only; please use hours or days.')
}

export function hasMinutes(from: number, now: Date): boolean {
  return from >= now.getTime() - minutesReachMs
}

/** Names only: an offset such as +02:00 is not a place whose clocks change. */
export function readTimeZone(name: string): string {
  try {
    if (/^[A-Za-z]/.test(name))
      return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
  } catch {}
  throw queryProblem('tz', 'tz must be the name of an IANA time zone, such as Europe/Berlin.')
}

/** Milliseconds since 1970; a date begins at midnight in the zone. */
export function readTime(field: 'from' | 'to', text: string, timeZone: string): number {
  try {
    const milliseconds = /^\d{4}-\d{2}-\d{2}$/.test(text)
      ? Temporal.PlainDate.from(text).toZonedDateTime(timeZone).epochMilliseconds
      : Temporal.Instant.from(text).epochMilliseconds
    const year = new Date(milliseconds).getUTCFullYear()
    if (year >= 1970 && year <= 9999) return milliseconds
  } catch {}
  throw queryProblem(field, `${field} must be an RFC 3339 time with a zone, or a date.`)
}

/** The starts of the buckets that cover [from, to), followed by the start of the next one. */
export function bucketStarts(interval: SeriesInterval, from: number, to: number, timeZone: string): number[] {
  const starts: number[] = []
  const next = nextStart(interval, timeZone)
  let start = bucketStart(interval, zoned(from, timeZone))
  for (; start < to; start = next(start)) starts.push(start)
  starts.push(start)
  return starts
}

/** A day whose midnight is skipped begins later; one with two midnights begins at the first. */
function bucketStart(interval: SeriesInterval, moment: Temporal.ZonedDateTime): number {
  if (interval === 'minute') return Math.floor(moment.epochMilliseconds / minuteMs) * minuteMs
  if (interval === 'hour') return hourStart(moment)
  if (interval === 'week') moment = moment.subtract({ days: moment.dayOfWeek - 1 })
  if (interval === 'month') moment = moment.with({ day: 1 })
  return moment.startOfDay().epochMilliseconds
}

/** A clock hour with a single UTC offset: it is cut where the clocks change within it or by less than an hour. */
function hourStart(moment: Temporal.ZonedDateTime): number {
  const offsetMs = moment.offsetNanoseconds / 1e6
  const clockHour = Math.floor((moment.epochMilliseconds + offsetMs) / hourMs) * hourMs - offsetMs
  const change = moment.add({ milliseconds: 1 }).getTimeZoneTransition('previous')
  return Math.max(clockHour, change?.epochMilliseconds ?? clockHour)
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

/** A year has up to 8,784 hours, so the zone is looked up only once per clock change. */
function hoursFrom(timeZone: string): (start: number) => number {
  let change = Number.NEGATIVE_INFINITY
  let offsetMs = 0
  return start => {
    if (start >= change) {
      const moment = zoned(start, timeZone)
      offsetMs = moment.offsetNanoseconds / 1e6
      change = moment.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY
    }
    const next = (Math.floor((start + offsetMs) / hourMs) + 1) * hourMs - offsetMs
    return Math.min(next, change)
  }
}

export function zoned(milliseconds: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(milliseconds).toZonedDateTimeISO(timeZone)
}

export function queryProblem(parameter: string, detail: string): Problem {
  return new Problem(400, detail, { errors: [{ pointer: `#/${parameter}`, detail }] })
}
