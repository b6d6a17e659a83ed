import type { Metric } from '../api/stats.ts'

const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

export function number(value: number): string {
  return whole.format(value)
}

/** For an axis, where there is no room for more. */
export function shortNumber(value: number): string {
  return value < 10_000 ? whole.format(value) : short.format(value)
}

export function visits(count: number, metric: Metric = 'visits'): string {
  return `${counted(count, 'visit')}${metric === 'humans' ? ' by people' : ''}`
}

export function counted(count: number, thing: string): string {
  return `${whole.format(count)} ${thing}${count === 1 ? '' : 's'}`
}

/** “12 %” of a part; a part that is there is never “0 %”. */
export function percent(part: number, total: number): string {
  const share = total === 0 ? 0 : (100 * part) / total
  return share > 0 && share < 1 ? '<1 %' : `${Math.round(share)} %`
}
