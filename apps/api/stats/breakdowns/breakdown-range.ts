import { dayMs, dayNumber } from '@hopcount/shared/days.ts'
import { readRange } from '../series/series-range.ts'

/** Whole UTC days: `from` at 0:00 of the first, `to` at 0:00 behind the last. */
export interface DayRange {
  from: Date
  to: Date
}

/** The UTC days that the range asked for touches; without one the last `defaultDays`, today included. */
export function readDayRange(
  query: { from?: string; to?: string; tz: string },
  now: Date,
  defaultDays = 30,
): DayRange {
  const { from, to } = readRange(query, now, to => to - 1 - (defaultDays - 1) * dayMs)
  return {
    from: new Date(dayNumber(from) * dayMs),
    to: new Date(Math.ceil(to / dayMs) * dayMs),
  }
}

export function daysBefore({ from, to }: DayRange): DayRange {
  return { from: new Date(2 * from.getTime() - to.getTime()), to: from }
}
