/** The period of a top list, and how it is put together of whole days (`link_days`) and quarter hours at its edges. */
import { readRange } from '../series/series-range.ts'

export interface Span {
  /** Both at quarter hours; `to` is exclusive. */
  from: Date
  to: Date
}

export interface TopWindow extends Span {
  /** The period of equal length before. */
  before: Span
  /** True where the window ends now: then all that is newer counts, too. */
  isOpen: boolean
}

export interface SplitSpan {
  /** The UTC days that the span touches. */
  days: string[]
  /** Those that it holds whole; the rest of it is in the edges. */
  wholeDays: string[]
  edges: Span[]
}

export interface TopWindowQuery {
  window?: 'all' | '24h' | '7d' | '30d'
  from?: string
  to?: string
  tz: string
}

const quarterMs = 15 * 60_000
const dayMs = 96 * quarterMs
const windowMs = { '24h': dayMs, '7d': 7 * dayMs, '30d': 30 * dayMs }

/** Undefined: all time. Begins with the quarter hour that holds its first moment, ends with the one that holds its last. */
export function readTopWindow(query: TopWindowQuery, now: Date): TopWindow | undefined {
  if (query.from !== undefined || query.to !== undefined) {
    const { from, to } = readRange(query, now, to => to - 30 * dayMs)
    return windowOf(from, to, query.to === undefined)
  }
  if (query.window === undefined || query.window === 'all') return undefined
  return windowOf(now.getTime() - windowMs[query.window], now.getTime(), true)
}

function windowOf(from: number, to: number, isOpen: boolean): TopWindow {
  const start = Math.floor(from / quarterMs) * quarterMs
  const end = Math.ceil(to / quarterMs) * quarterMs
  // Nothing lies behind now, so the whole of today is read: one row instead of its quarter hours.
  const counted = isOpen ? Math.ceil(end / dayMs) * dayMs : end
  return {
    from: new Date(start),
    to: new Date(counted),
    before: { from: new Date(2 * start - end), to: new Date(start) },
    isOpen,
  }
}

export function splitSpan({ from, to }: Span): SplitSpan {
  const firstWhole = Math.ceil(from.getTime() / dayMs) * dayMs
  const endWhole = Math.max(Math.floor(to.getTime() / dayMs) * dayMs, firstWhole)
  const edges = [
    { from, to: new Date(Math.min(firstWhole, to.getTime())) },
    { from: new Date(endWhole), to },
  ]
  return {
    days: daysOf(Math.floor(from.getTime() / dayMs) * dayMs, to.getTime()),
    wholeDays: daysOf(firstWhole, Math.min(endWhole, to.getTime())),
    edges: edges.filter(edge => edge.from < edge.to),
  }
}

function daysOf(from: number, to: number): string[] {
  const days: string[] = []
  for (let day = from; day < to; day += dayMs) days.push(dayText(day))
  return days
}

/** As PostgreSQL reads a date: an ISO 8601 one, of a year with four digits. */
export function dayText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10)
}
