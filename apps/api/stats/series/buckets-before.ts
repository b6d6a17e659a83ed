/**
 * From the buckets of a series to those of the earlier range that it is compared with. Both are counted by local dates and
 * times, so a bucket stands beside that of the same time of day, and of the same day of the week, month or year.
 *
 * One of the ranges may have a bucket that the other one lacks: the hour that is skipped when clocks are set, 31 January
 * beside February. It is part of its range's sum, and beside it stands an empty bucket of no length.
 */
import { dayMs } from '@hopcount/shared/days.ts'
import type { Buckets } from './series-range.ts'
import { bucketStarts, checkMinutes, hasMinutes, readTimeZone } from './series-range.ts'
import type { Comparison, SeriesInterval } from './series-schema.ts'
import { momentOf, monthsEarlier, startOfMonth, wallClock } from './wall-clock.ts'

export interface BucketsBefore extends Buckets {
  /** For each of the buckets, the index of the bucket that it stands beside; undefined: none. */
  besides: (number | undefined)[]
  /** The point that corresponds to now while the range compared is in progress; undefined once it is over. */
  soFar: Date | undefined
}

const minuteMs = 60_000
const quarterMs = 15 * minuteMs
const hourMs = 4 * quarterMs

/** Local times as `wall-clock.ts` counts them. */
interface LocalRange {
  from: number
  end: number
}

/** How far the earlier range lies back. */
type Shift = { ms: number } | { months: number }

/** The range to compare with never overlaps the range itself; 400 when its minutes are no longer kept. */
export function bucketsBefore(buckets: Buckets, compare: Comparison, tz: string, now: Date): BucketsBefore {
  const { interval } = buckets
  const timeZone = readTimeZone(tz)
  const wall = wallClock(timeZone)
  const grainMs = { minute: minuteMs, hour: hourMs, day: dayMs, week: dayMs, month: dayMs }[interval]
  const localStart = (moment: number) => Math.floor(wall(moment) / grainMs) * grainMs
  const first = (buckets.starts[0] ?? buckets.end).getTime()
  const range = { from: localStart(first), end: endOf(wall(buckets.end.getTime()), grainMs) }
  const isOfMinutes = interval === 'minute' && compare === 'previous'
  const isShort = buckets.end.getTime() - first <= hourMs
  const wholeDays = Math.max(1, Math.ceil((range.end - range.from) / dayMs)) * dayMs
  if (isOfMinutes && (isShort || !hasMinutes(momentOf(range.from - wholeDays, timeZone), now)))
    return minutesJustBefore(buckets, first, now)

  const shift = shiftOf(range, interval, compare)
  const before = shifted(range, shift, interval)
  const from = momentOf(before.from, timeZone)
  if (interval === 'minute') checkMinutes(from, now)
  const starts = bucketStarts(interval, from, momentOf(before.end, timeZone), timeZone)
  const end = Math.min(starts.pop() ?? from, first)
  const kept = starts.filter(start => start < end)
  return {
    interval,
    starts: kept.map(start => new Date(start)),
    end: new Date(end),
    besides: matchInOrder(
      buckets.starts.map(start => earlier(localStart(start.getTime()), shift)),
      kept.map(localStart),
    ),
    soFar: soFarOf(buckets, shift, { wall, timeZone, end }, now),
  }
}

/** Whatever the clocks show: the hour that occurs twice is beside itself. */
function minutesJustBefore({ interval, starts, end }: Buckets, first: number, now: Date): BucketsBefore {
  const length = end.getTime() - first
  checkMinutes(first - length, now)
  return {
    interval,
    starts: starts.map(start => new Date(start.getTime() - length)),
    end: new Date(first),
    besides: starts.map((_start, index) => index),
    soFar: undefined,
  }
}

/** Midnight may be skipped, and then a day begins later. */
function endOf(wall: number, grainMs: number): number {
  return grainMs === dayMs ? Math.floor(wall / dayMs) * dayMs : wall
}

function shiftOf(range: LocalRange, interval: SeriesInterval, compare: Comparison): Shift {
  const { from, end } = range
  const days = Math.max(1, Math.ceil((end - from) / dayMs))
  if (compare === 'previous') {
    if (interval === 'month') return { months: monthsBetween(range) }
    return { ms: days * dayMs }
  }
  const [months, matchedDays, mostDays] = compare === 'month' ? [1, 28, 42] : [12, 364, 371]
  // A month touches up to six weeks, a year 53.
  if (interval === 'week') return { ms: Math.max(Math.ceil(days / mostDays) * matchedDays, days) * dayMs }
  // Of whole weeks the same days of the week are compared, rather than the same dates.
  if (days % 7 === 0 && days <= 28 && !isOfWholeMonths(range)) return { ms: matchedDays * dayMs }
  let shift = months
  while (shifted(range, { months: shift }, interval).end > from) shift += months
  const { from: start, end: stop } = shifted(range, { months: shift }, interval)
  // 31 October has no counterpart in September: it is compared with the last day there.
  return start < stop ? { months: shift } : { ms: lastDay(range) + dayMs - stop }
}

function isOfWholeMonths({ from, end }: LocalRange): boolean {
  return from === startOfMonth(from) && end === startOfMonth(end)
}

function monthsBetween({ from, end }: LocalRange): number {
  const [first, last] = [new Date(from), new Date(end)]
  return 12 * (last.getUTCFullYear() - first.getUTCFullYear()) + last.getUTCMonth() - first.getUTCMonth()
}

function lastDay({ end }: LocalRange): number {
  return Math.floor((end - 1) / dayMs) * dayMs
}

function earlier(local: number, shift: Shift): number | undefined {
  return 'ms' in shift ? local - shift.ms : monthsEarlier(local, shift.months)
}

/** Whole months become whole months; of other ranges the first and the last day are shifted. */
function shifted(range: LocalRange, shift: Shift, interval: SeriesInterval): LocalRange {
  if ('ms' in shift) return { from: range.from - shift.ms, end: range.end - shift.ms }
  const { months } = shift
  const earlierOrNext = (local: number) => monthsEarlier(local, months) ?? startOfMonth(local, 1 - months)
  const from = earlierOrNext(range.from)
  if (interval === 'month' || isOfWholeMonths(range)) return { from, end: startOfMonth(range.end, -months) }
  const last = lastDay(range)
  const end = monthsEarlier(last, months)
  return { from, end: end === undefined ? startOfMonth(last, 1 - months) : end + (range.end - last) }
}

/**
 * For each of the local times before, the index of the equal one among those looked for. Where clocks are set back an hour
 * occurs twice: the first one is beside the first one.
 */
function matchInOrder(wanted: (number | undefined)[], before: number[]): (number | undefined)[] {
  const indexes = Map.groupBy(wanted.keys(), index => wanted[index])
  const taken = new Map<number, number>()
  return before.map(local => {
    const matching = indexes.get(local)
    if (matching === undefined) return undefined
    const nth = taken.get(local) ?? 0
    taken.set(local, nth + 1)
    return matching[nth]
  })
}

/** In full hours, since old counts are kept by the hour; for hours in full quarters. A minute is too short to be cut. */
function soFarOf(
  { interval, starts, end }: Buckets,
  shift: Shift,
  before: { wall: (moment: number) => number; timeZone: string; end: number },
  now: Date,
): Date | undefined {
  const current = starts.findLast(start => start <= now)
  if (interval === 'minute' || current === undefined || now >= end) return undefined
  const unit = interval === 'hour' ? quarterMs : hourMs
  const reached = current.getTime() + Math.round((now.getTime() - current.getTime()) / unit) * unit
  const local = earlier(before.wall(reached), shift)
  // 31 October, 15:00, is after the end of September.
  const moment = local === undefined ? before.end : momentOf(local, before.timeZone)
  return new Date(Math.min(moment, before.end))
}
