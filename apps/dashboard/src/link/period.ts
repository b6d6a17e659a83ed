import type { Period } from '../address.ts'

export const periodNames: Record<
  Period,
  { title: string; key: string; span: string; bucket: string; now: string }
> = {
  day: { title: 'Day', key: 'D', span: 'last 24 hours', bucket: 'hour', now: 'this hour' },
  week: { title: 'Week', key: 'W', span: 'last 7 days', bucket: 'day', now: 'today' },
  month: { title: 'Month', key: 'M', span: 'last 30 days', bucket: 'day', now: 'today' },
  year: { title: 'Year', key: 'Y', span: 'last 12 months', bucket: 'month', now: 'this month' },
}

const hourMs = 3_600_000
const quarterMs = hourMs / 4

/**
 * The series that shows a period up to now, as the API is asked for it. It stays the same text as long as the same
 * buckets are meant, so that an unchanged answer is recognized as such.
 */
export function seriesOf(period: Period, zone: string, now: number): { interval: string; from: string } {
  // Hours begin at a full quarter of the UTC hour in every zone: the quarter 23 h ago lies in the 24th hour from here.
  if (period === 'day') {
    const from = Math.floor(now / quarterMs) * quarterMs - 23 * hourMs
    return { interval: 'hour', from: new Date(from).toISOString() }
  }
  const today = dateIn(zone, now)
  if (period === 'week') return { interval: 'day', from: isoDate(today.year, today.month, today.day - 6) }
  if (period === 'month') return { interval: 'day', from: isoDate(today.year, today.month, today.day - 29) }
  return { interval: 'month', from: isoDate(today.year, today.month - 11, 1) }
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

/** Days and months may lie outside of their range: the 0th is the last of the month before. */
function isoDate(year: number, month: number, day: number): string {
  return new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10)
}
