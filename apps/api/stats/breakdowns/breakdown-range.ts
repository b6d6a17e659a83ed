import { dayMs, dayNumber } from '@hopcount/shared/days.ts'

export interface Range {
  from: Date
  /** Exclusive. */
  to: Date
}

/** Whole UTC days: `from` is the start of the first one, `to` the end of the last one. */
export type DayRange = Range

/** The UTC days that a range touches. */
export function touchedDays({ from, to }: Range): DayRange {
  return {
    from: new Date(dayNumber(from.getTime()) * dayMs),
    to: new Date(Math.ceil(to.getTime() / dayMs) * dayMs),
  }
}

export function isWholeDays({ from, to }: Range): boolean {
  return from.getTime() % dayMs === 0 && to.getTime() % dayMs === 0
}

export function daysBefore({ from, to }: DayRange): DayRange {
  return { from: new Date(2 * from.getTime() - to.getTime()), to: from }
}
