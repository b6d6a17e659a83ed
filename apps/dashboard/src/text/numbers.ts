import type { Metric } from '../api/stats.ts'

const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

export function number(value: number): string {
  return whole.format(value)
}

const significant = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

/** “12.3M”; what has at most five digits is exact. */
export function compactNumber(value: number): string {
  return Math.abs(value) < 100_000 ? whole.format(value) : significant.format(value)
}

/** Short, for an axis. */
export function shortNumber(value: number): string {
  return value < 10_000 ? whole.format(value) : short.format(value)
}

export function visits(count: number, metric: Metric = 'visits'): string {
  return `${counted(count, 'visit')}${metric === 'humans' ? ' by humans' : ''}`
}

export function counted(count: number, thing: string): string {
  return `${whole.format(count)} ${thing}${count === 1 ? '' : 's'}`
}

/** How many times as many, as a whole number. */
export function times(now: number, before: number): string {
  return number(Math.round(now / before))
}

/** A share such as “12 %”; never “0 %” for a share above zero. */
export function percent(part: number, total: number): string {
  const share = total === 0 ? 0 : (100 * part) / total
  return share > 0 && share < 1 ? '<1 %' : `${Math.round(share)} %`
}
