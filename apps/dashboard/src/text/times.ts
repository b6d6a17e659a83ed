import type { Interval } from '../address.ts'

/** The page is in English; users of a regional English get their region's time format. */
const locale = navigator.language.startsWith('en') ? navigator.language : 'en-GB'

export const dayMs = 86_400_000

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const units = [
  ['day', dayMs],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/** “3 minutes ago”. A moment in the future, by the user's clock, is just now. */
export function ago(moment: string, now: number): string {
  const elapsedMs = now - Date.parse(moment)
  const [unit, unitMs] = units.find(([, ms]) => elapsedMs >= ms) ?? []
  return unit === undefined ? 'just now' : relative.format(-Math.floor(elapsedMs / unitMs), unit)
}

export function dateAndTime(moment: string, zone: string, seconds = false): string {
  return formatter(zone, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds && { second: '2-digit' }),
  }).format(new Date(moment))
}

/** “12:41”, or for another day “21 Nov 2026, 12:41”. */
export function clockTime(moment: number, zone: string): string {
  const isToday = dayName(moment, zone) === dayName(Date.now(), zone)
  return isToday ? formatter(zone, clock).format(moment) : dateAndTime(new Date(moment).toISOString(), zone)
}

/** “40 s”, “3 min”, “2 h”, “5 days”. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 100) return `${seconds} s`
  if (seconds < 100 * 60) return `${Math.floor(seconds / 60)} min`
  const hours = Math.floor(seconds / 3_600)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`
}

export function dayName(moment: string | number, zone: string): string {
  return formatter(zone, { day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(moment))
}

/** “10:00 – 14:00”; with the days where these are different ones. */
export function timesBetween(from: string, to: string, zone: string): string {
  const isOneDay = dayName(from, zone) === dayName(Date.parse(to) - 1, zone)
  const format = formatter(zone, isOneDay ? clock : { day: 'numeric', month: 'short', ...clock })
  return `${format.format(new Date(from))} – ${format.format(new Date(to))}`
}

/** “24 Oct – 22 Nov 2026”, with a time of day where it begins or ends within a day. What goes on until now ends today. */
export function rangeInWords(from: string, to: string, zone: string, now = Number.POSITIVE_INFINITY): string {
  const isOver = Date.parse(to) <= now
  const end = isOver ? to : new Date(now).toISOString()
  const clockOf = (moment: string) => formatter(zone, { ...clock, hourCycle: 'h23' }).format(new Date(moment))
  const isDay = (moment: string) => clockOf(moment) === '00:00'
  const days = daysBetween(from, end, zone)
  if (isDay(from)) return isDay(to) || !isOver ? days : `${days}, until ${timeOf(end, zone)}`
  return dayName(from, zone) === dayName(end, zone)
    ? `${days}, ${timesBetween(from, end, zone)}`
    : timesBetween(from, end, zone)
}

function timeOf(moment: string, zone: string): string {
  return formatter(zone, clock).format(new Date(moment))
}

/** “24 Oct – 22 Nov 2026”, “1–14 Nov 2026”: the days that [from, to) touches. */
export function daysBetween(from: string, to: string, zone: string): string {
  const format = formatter(zone, { day: 'numeric', month: 'short', year: 'numeric' })
  const range = format.formatRange(new Date(from), new Date(Date.parse(to) - 1))
  // Between two words a dash has spaces, between two numbers it has none.
  return range.replace(/^(\d+)\s*–\s*(?=\d+ )/, '$1–')
}

export interface BucketNames {
  /** For an axis; the first hour or minute of a day has its date. */
  short: string[]
  /** Unique within the series. */
  long: string[]
  /** When hours and minutes begin, in minutes after midnight; 0 for the first of a day, even if clocks skip midnight. */
  minutes: number[]
}

export function bucketNames(starts: string[], interval: Interval, zone: string): BucketNames {
  const dates = starts.map(start => new Date(start))
  const write = (options: Intl.DateTimeFormatOptions) => {
    const format = formatter(zone, options)
    return dates.map(date => format.format(date))
  }
  const prefix = interval === 'week' ? 'week of ' : ''
  const longOptions = { ...longNames[interval], ...(isOverAYear(dates) && { year: 'numeric' as const }) }
  const long = write(longOptions)
  return {
    ...(interval === 'hour' || interval === 'minute'
      ? timesOfDay(write)
      : { short: write(shortNames(interval, dates)), minutes: [] }),
    // When clocks are set back an hour occurs twice; the name of the offset tells which one it is.
    long: (new Set(long).size === long.length
      ? long
      : write({ ...longOptions, timeZoneName: 'shortOffset' })
    ).map(name => prefix + name),
  }
}

function timesOfDay(write: (options: Intl.DateTimeFormatOptions) => string[]) {
  const days = write({ day: 'numeric', month: 'short' })
  const minutes = write({ ...clock, hourCycle: 'h23' }).map((time, i) => {
    const [hour = 0, minute = 0] = time.split(':').map(Number)
    return i > 0 && days[i] !== days[i - 1] ? 0 : 60 * hour + minute
  })
  return { short: write(clock).map((time, i) => (minutes[i] === 0 ? (days[i] ?? time) : time)), minutes }
}

const clock = { hour: '2-digit', minute: '2-digit' } as const

function shortNames(interval: Interval, dates: Date[]): Intl.DateTimeFormatOptions {
  if (interval === 'month') return { month: 'short' }
  return interval === 'day' && dates.length <= 8
    ? { weekday: 'short', day: 'numeric' }
    : { day: 'numeric', month: 'short' }
}

const longNames: Record<Interval, Intl.DateTimeFormatOptions> = {
  minute: { weekday: 'short', day: 'numeric', month: 'short', ...clock },
  hour: { weekday: 'short', day: 'numeric', month: 'short', ...clock },
  day: { weekday: 'short', day: 'numeric', month: 'long' },
  week: { day: 'numeric', month: 'long' },
  month: { month: 'long', year: 'numeric' },
}

/** Then two days may have the same name without their year. */
function isOverAYear(dates: Date[]): boolean {
  return (dates.at(-1)?.getTime() ?? 0) - (dates[0]?.getTime() ?? 0) > 330 * dayMs
}

function formatter(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })
}
