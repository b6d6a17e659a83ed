import type { Address, Interval, Period } from '../../address.ts'
import { comparisonsOf } from './comparison.ts'
import type { RequestedRange } from './requested-range.ts'

/** As a heading has it, and as a sentence does. */
export const periodNames: Record<Period, { span: string; within: string }> = {
  today: { span: 'today', within: 'today' },
  yesterday: { span: 'yesterday', within: 'yesterday' },
  hour: { span: 'last 60 minutes', within: 'in the last 60 minutes' },
  day: { span: 'last 24 hours', within: 'in the last 24 hours' },
  week: { span: 'last 7 days', within: 'in the last 7 days' },
  month: { span: 'last 30 days', within: 'in the last 30 days' },
  year: { span: 'last 12 months', within: 'in the last 12 months' },
  'this-month': { span: 'this month', within: 'this month' },
  'last-month': { span: 'last month', within: 'last month' },
  'year-to-date': { span: 'this year', within: 'this year' },
  all: { span: 'all time', within: 'since the first one' },
  custom: { span: 'days chosen', within: '' },
}

export const intervalNames: Record<Interval, { title: string; running: string }> = {
  minute: { title: 'Minutes', running: 'this minute' },
  hour: { title: 'Hours', running: 'this hour' },
  day: { title: 'Days', running: 'today' },
  week: { title: 'Weeks', running: 'this week' },
  month: { title: 'Months', running: 'this month' },
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const quarterMs = hourMs / 4
const dayMs = 24 * hourMs

/**
 * The range that the address selects. Its text stays the same for as long as it covers the same buckets, so that an
 * unchanged response is recognized. All time begins with `firstVisit`.
 */
export function rangeOf(address: Address, zone: string, now: number, firstVisit = now): RequestedRange {
  const { period } = address
  const { from, to } = limits(address, zone, now, firstVisit)
  const fromMs = Date.parse(from)
  const untilMs = to === undefined ? now : Date.parse(to)
  const intervals = intervalsOf((untilMs - fromMs) / dayMs, now - fromMs)
  const interval = intervals.find(known => known === address.interval) ?? usualInterval(period, intervals)
  const comparisons = comparisonsOf({ period, interval, fromMs, untilMs, now })
  return {
    period,
    interval,
    intervals,
    from: interval === 'minute' ? minutesFrom(period, from, now) : from,
    to,
    comparisons,
    compare:
      address.compare === 'off'
        ? undefined
        : (comparisons.find(known => known === address.compare) ?? comparisons[0]),
  }
}

function limits(
  address: Address,
  zone: string,
  now: number,
  firstVisit: number,
): { from: string; to: string | undefined } {
  const { period } = address
  if (period === 'hour') return { from: minutesFrom(period, '', now), to: undefined }
  // In every zone hours begin on a quarter of a UTC hour, so the quarter hour 23 h ago is in the 24th hour from now.
  if (period === 'day')
    return { from: isoTime(Math.floor(now / quarterMs) * quarterMs - 23 * hourMs), to: undefined }
  const today = dateIn(zone, now)
  if (period === 'custom') {
    const todayText = isoDate(today.year, today.month, today.day)
    const times = customTimes(address)
    if (times !== undefined && Date.parse(times.from) < now)
      return { from: times.from, to: Date.parse(times.to) < now ? times.to : undefined }
    const { from, to } = customDays(address, todayText, zone)
    return { from, to: to < todayText ? daysEarlier(to, -1) : undefined }
  }
  const { year, month, day } = today
  if (period === 'yesterday') return { from: isoDate(year, month, day - 1), to: isoDate(year, month, day) }
  if (period === 'last-month') return { from: isoDate(year, month - 1, 1), to: isoDate(year, month, 1) }
  const firstDays = {
    today: isoDate(year, month, day),
    week: isoDate(year, month, day - 6),
    month: isoDate(year, month, day - 29),
    year: isoDate(year, month - 11, 1),
    'this-month': isoDate(year, month, 1),
    'year-to-date': isoDate(year, 1, 1),
    all: todayIn(zone, Math.min(firstVisit, now)),
  }
  return { from: firstDays[period], to: undefined }
}

function minutesFrom(period: Period, from: string, now: number): string {
  const minute = Math.floor(now / minuteMs) * minuteMs
  if (period === 'hour') return isoTime(minute - 59 * minuteMs)
  return period === 'day' ? isoTime(minute - dayMs + minuteMs) : from
}

/** The intervals that result in at least a handful of buckets, but no more than fit on a screen. Minutes are kept for 48 hours. */
function intervalsOf(days: number, agoMs: number): Interval[] {
  const fits: Record<Interval, boolean> = {
    // The dates were compared in UTC, but may begin up to 14 hours earlier in their zone.
    minute: days <= 2 && agoMs < 2 * dayMs - 14 * hourMs,
    hour: days <= 31.5 && (days >= 0.5 || agoMs > 1.4 * dayMs || days > 0.1),
    day: days >= 1.9 && days <= 400,
    week: days >= 14,
    month: days >= 60,
  }
  return (Object.keys(fits) as Interval[]).filter(interval => fits[interval])
}

function usualInterval(period: Period, intervals: Interval[]): Interval {
  const usual: Interval = period === 'hour' ? 'minute' : period === 'year' ? 'month' : 'day'
  const has = (interval: Interval) => intervals.includes(interval)
  if (has(usual) && (period === 'month' || usual !== 'day' || !has('month'))) return usual
  // Days, as long as they are not too many to be told apart.
  if (has('month')) return has('day') ? 'week' : 'month'
  return has('hour') ? 'hour' : (intervals[0] ?? 'hour')
}

/** Twenty years: more than there is. */
const mostDays = 7_300

/** First and last day of a custom period: not after today, and no more days than the API accepts. */
export function customDays(address: Address, today: string, zone: string): { from: string; to: string } {
  const times = customTimes(address)
  const last = times === undefined ? address.to : todayIn(zone, Date.parse(times.to) - 1)
  const to = earlierOf(last ?? today, today)
  const first = daysEarlier(to, mostDays - 1)
  const chosen = times === undefined ? address.from : todayIn(zone, Date.parse(times.from))
  const from = laterOf(chosen ?? daysEarlier(to, 29), first)
  return { from: earlierOf(from, to), to }
}

/** The limits of a custom period that are times; undefined: they are days, or further apart than the API accepts by hours. */
export function customTimes({ from, to }: Address): { from: string; to: string } | undefined {
  return from?.includes('T') && to !== undefined && Date.parse(to) - Date.parse(from) <= 31 * dayMs
    ? { from, to }
    : undefined
}

/** The last day of a custom period after its first day has changed: it may have been too far away. */
export function lastDay(from: string, to: string): string {
  return earlierOf(to, daysEarlier(from, 1 - mostDays))
}

function earlierOf(...dates: [string, string]): string {
  return dates.sort()[0]
}

function laterOf(...dates: [string, string]): string {
  return dates.sort()[1]
}

/** Today's date in the zone, as `2026-11-22`. */
export function todayIn(zone: string, now: number): string {
  const { year, month, day } = dateIn(zone, now)
  return isoDate(year, month, day)
}

function daysEarlier(date: string, days: number): string {
  return isoTime(Date.parse(date) - days * dayMs).slice(0, 10)
}

function dateIn(zone: string, moment: number): { year: number; month: number; day: number } {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    calendar: 'gregory',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  }).formatToParts(moment)
  const part = (type: string) => Number(parts.find(part => part.type === type)?.value)
  return { year: part('year'), month: part('month'), day: part('day') }
}

/** Days and months may be out of range: day 0 is the last day of the previous month. */
function isoDate(year: number, month: number, day: number): string {
  return isoTime(Date.UTC(year, month - 1, day)).slice(0, 10)
}

function isoTime(moment: number): string {
  return new Date(moment).toISOString()
}
