import { dayMs, dayNumber } from '@hopcount/shared/days.ts'
import { readRange } from '../series/series-range.ts'

/** Whole UTC days: `from` is the start of the first one, `to` the end of the last one. */
export interface DayRange {
  from: Date
  to: Date
}

/** The UTC days that the requested range touches; by default the last `defaultDays`, including today. */
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
