/** The period of a top list, made up of whole days (`link_days`) and quarter hours at its edges. */

import { dayMs, dayNumber, dayText } from '@hopcount/shared/days.ts'
import { readRange } from '../series/series-range.ts'

export interface Span {
  /** Both are on quarter hours; `to` is exclusive. */
  from: Date
  to: Date
}

export interface TopWindow extends Span {
  /** The preceding period of equal length. */
  before: Span
  /** True if the window ends now: then all newer visits count, too. */
  isOpen: boolean
}

export interface SplitSpan {
  /** The UTC days that the span touches. */
  days: string[]
  /** The days that it contains completely; the rest of it is in the edges. */
  wholeDays: string[]
  edges: Span[]
}

export interface TopWindowQuery {
  window?: 'all' | '24h' | '7d' | '30d'
  from?: string
  to?: string
  tz: string
  /** Unique visitors are known per UTC day, so a list sorted by them covers the whole days that its window touches. */
  sort?: 'visits' | 'humans' | 'uniques' | 'last_visit' | 'growth'
}

const quarterMs = 15 * 60_000
const windowMs = { '24h': dayMs, '7d': 7 * dayMs, '30d': 30 * dayMs }

/** Undefined: all time. The window consists of whole quarter hours (or days), from the one that contains its first moment on. */
export function readTopWindow(query: TopWindowQuery, now: Date): TopWindow | undefined {
  const grainMs = query.sort === 'uniques' ? dayMs : quarterMs
  if (query.from !== undefined || query.to !== undefined) {
    const { from, to } = readRange(query, now, to => to - 30 * dayMs)
    return windowOf(from, to, query.to === undefined, grainMs)
  }
  if (query.window === undefined || query.window === 'all') return undefined
  return windowOf(now.getTime() - windowMs[query.window], now.getTime(), true, grainMs)
}

function windowOf(from: number, to: number, isOpen: boolean, grainMs: number): TopWindow {
  const start = Math.floor(from / grainMs) * grainMs
  const end = Math.ceil(to / grainMs) * grainMs
  // There are no visits after now, so all of today is read: one row instead of its quarter hours.
  const counted = isOpen ? Math.ceil(end / dayMs) * dayMs : end
  return {
    from: new Date(start),
    to: new Date(counted),
    before: { from: new Date(2 * start - end), to: new Date(start) },
    isOpen,
  }
}

export function splitSpan({ from, to }: Span): SplitSpan {
  const firstDay = dayNumber(from.getTime())
  const endDay = Math.ceil(to.getTime() / dayMs)
  const firstWhole = Math.ceil(from.getTime() / dayMs)
  const endWhole = Math.max(dayNumber(to.getTime()), firstWhole)
  const edges = [
    { from, to: new Date(Math.min(firstWhole * dayMs, to.getTime())) },
    { from: new Date(endWhole * dayMs), to },
  ]
  return {
    days: daysOf(firstDay, endDay),
    wholeDays: daysOf(firstWhole, Math.min(endWhole, endDay)),
    edges: edges.filter(edge => edge.from < edge.to),
  }
}

function daysOf(from: number, to: number): string[] {
  return Array.from({ length: Math.max(to - from, 0) }, (_, i) => dayText(from + i))
}
