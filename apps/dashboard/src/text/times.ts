import type { Period } from '../address.ts'

/** The page is in English; who reads English of some country gets that country's way to write times. */
const locale = navigator.language.startsWith('en') ? navigator.language : 'en-GB'

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/** “3 minutes ago”. A moment that the reader's clock holds for the future is just now. */
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

/** Short names of buckets, for an axis; and long ones, each of them told apart from all others of the series. */
export function bucketNames(
  starts: string[],
  period: Period,
  zone: string,
): { short: string[]; long: string[] } {
  const dates = starts.map(start => new Date(start))
  const write = (options: Intl.DateTimeFormatOptions) => {
    const format = formatter(zone, options)
    return dates.map(date => format.format(date))
  }
  const long = write(longNames[period])
  return {
    short: write(shortNames[period]),
    // The hour that comes twice when clocks are set back: the name of the offset tells which.
    long:
      new Set(long).size === long.length
        ? long
        : write({ ...longNames[period], timeZoneName: 'shortOffset' }),
  }
}

const shortNames: Record<Period, Intl.DateTimeFormatOptions> = {
  day: { hour: '2-digit', minute: '2-digit' },
  week: { weekday: 'short', day: 'numeric' },
  month: { day: 'numeric', month: 'short' },
  year: { month: 'short' },
}

const longNames: Record<Period, Intl.DateTimeFormatOptions> = {
  day: { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
  week: { weekday: 'long', day: 'numeric', month: 'long' },
  month: { weekday: 'short', day: 'numeric', month: 'long' },
  year: { month: 'long', year: 'numeric' },
}

function formatter(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })
}
