import type { Comparison, Interval, Period } from '../../address.ts'
import type { RequestedRange } from './requested-range.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Periods whose preceding one is known by a name, and how the API calls it. */
const natural: Partial<Record<Period, Comparison>> = {
  'this-month': 'month',
  'last-month': 'month',
  'year-to-date': 'year',
  year: 'year',
}

/** What a range can be compared with. Before all time there is nothing, and minutes are kept for 48 hours. */
export function comparisonsOf(range: {
  period: Period
  interval: Interval
  fromMs: number
  untilMs: number
  now: number
}): Comparison[] {
  const { period, interval, fromMs, untilMs, now } = range
  if (period === 'all') return []
  if (interval === 'minute') {
    // Minus the shift of both ends by a date's zone, the minutes kept must contain the preceding period, too.
    const hasMinutesBefore = now - 2 * fromMs + untilMs < 2 * dayMs - 28 * hourMs
    return period === 'hour' || period === 'day' || hasMinutesBefore ? ['previous'] : []
  }
  const days = (untilMs - fromMs) / dayMs
  const offered: Comparison[] = ['previous']
  if (days < 31.1 && natural[period] === undefined) offered.push('month')
  if (days < 366.1 && natural[period] !== 'year') offered.push('year')
  return offered
}

/** The API's name of what a range is compared with: the whole month or year before, where that is what comes before. */
export function requestedComparison({ compare, period, interval, from, to }: RequestedRange): {
  compare?: Comparison
} {
  if (compare !== 'previous') return compare === undefined ? {} : { compare }
  const isByDates = interval === 'hour' || interval === 'day'
  const isOfMonths = [from, to].every(date => date?.endsWith('-01'))
  return {
    compare: natural[period] ?? (period === 'custom' && isByDates && isOfMonths ? 'month' : 'previous'),
  }
}

/** “the month before”: what a range is compared with, in words. */
export function comparisonName({ period, compare }: RequestedRange, of = compare): string {
  const named = of === 'previous' ? natural[period] : of
  return named === 'month' || named === 'year' ? `the ${named} before` : 'the period before'
}
