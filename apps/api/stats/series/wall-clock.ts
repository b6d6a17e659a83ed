/**
 * Local times as numbers: milliseconds since 1970 as a clock and a calendar on the wall would count them. They are added
 * and compared without a look at the zone, so 05:00 is 05:00 on both sides of a clock change.
 */
import { dayMs } from '@hopcount/shared/days.ts'
import { zoned } from './series-range.ts'

/** The local time of a moment. A year has up to 8,784 hours, so the zone is looked up once per clock change. */
export function wallClock(timeZone: string): (moment: number) => number {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  let offsetMs = 0
  return moment => {
    if (moment < from || moment >= to) {
      const there = zoned(moment, timeZone)
      offsetMs = there.offsetNanoseconds / 1e6
      from = moment
      to = there.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY
    }
    return moment + offsetMs
  }
}

/** The moment of a local time: the first one if clocks were set back, the moment of the change if it was skipped. */
export function momentOf(wall: number, timeZone: string): number {
  const time = Temporal.Instant.fromEpochMilliseconds(wall).toZonedDateTimeISO('UTC').toPlainDateTime()
  const moment = time.toZonedDateTime(timeZone)
  if (moment.toPlainDateTime().equals(time)) return moment.epochMilliseconds
  const change = moment.add({ milliseconds: 1 }).getTimeZoneTransition('previous')
  return change?.epochMilliseconds ?? moment.epochMilliseconds
}

/** The same date and time some months earlier; undefined: that month has no such day. */
export function monthsEarlier(wall: number, months: number): number | undefined {
  const day = new Date(wall).getUTCDate()
  const first = startOfMonth(wall, -months)
  const earlier = first + (day - 1) * dayMs + (((wall % dayMs) + dayMs) % dayMs)
  return earlier < startOfMonth(first, 1) ? earlier : undefined
}

/** The first day of the month that is `months` after that of the local time. */
export function startOfMonth(wall: number, months = 0): number {
  const date = new Date(wall)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1)
}
