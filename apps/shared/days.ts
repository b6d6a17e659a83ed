/** Days are UTC days everywhere. Inside they are numbers, counted from 1 January 1970; PostgreSQL is sent dates. */

export const dayMs = 24 * 60 * 60 * 1_000

/** Statistics per minute cover the last two days. Older visits are counted per quarter hour. */
export const minutesReachBackMs = 2 * dayMs

/** The day that contains a moment, which is given in milliseconds since 1970. */
export function dayNumber(milliseconds: number): number {
  return Math.floor(milliseconds / dayMs)
}

/** A day as PostgreSQL reads and prints a date: `2026-11-26`, and without ISO 8601's `+0` from the year 10000 on. */
export function dayText(day: number): string {
  const [date = ''] = new Date(day * dayMs).toISOString().split('T')
  return date.replace(/^\+0/, '')
}

/** `visits_20261126`, as ensure_visit_partitions() names the partition of a table for a day. */
export function partitionName(table: string, day: number): string {
  return `${table}_${dayText(day).replaceAll('-', '')}`
}

/** The inverse of `dayText`, for days from 1970 on. */
export function parseDay(text: string): number {
  const [year = Number.NaN, month = Number.NaN, day] = text.split('-').map(Number)
  return dayNumber(Date.UTC(year, month - 1, day))
}
