import { useRef, useState } from 'preact/hooks'
import { browserZone } from '../address.ts'
import type { Live } from '../api/live.ts'
import { useLive } from '../api/live.ts'
import type { Polled } from '../api/poll.ts'
import { usePolled, usualPauseMs } from '../api/poll.ts'
import type { BreakdownReport, FilteredReport, LinkStats, Metric, OverallStats } from '../api/stats.ts'
import { reportPath } from '../api/stats.ts'
import { useNavigation } from '../navigation.tsx'
import { useNow } from '../text/now.ts'
import type { AskedRange } from './period/period.ts'
import { rangeOf } from './period/period.ts'

/** The range and zone of a report's numbers. */
export interface Asked {
  range: AskedRange
  zone: string
}

export interface ReportData {
  now: number
  /** The current request, for controls and exports. Shown data carries its own. */
  asked: Asked
  metric: Metric
  stats: Polled<LinkStats | OverallStats, Asked>
  /** For the UTC days that the range touches; not requested while there are filters. */
  days: Polled<BreakdownReport, Asked>
  /** Undefined: no filters. */
  filtered: Polled<FilteredReport, Asked> | undefined
  /** The preceding period, filtered. */
  filteredBefore: Polled<FilteredReport, Asked>
  live: Live
}

/** While the stream reports changes, polling is for the rest: pending visits, the next bucket. */
const pauseWhileStreamingMs = 5_000
/** Filtered reports are counted from raw visits. */
const filteredPauseMs = 10_000
const pastPauseMs = 120_000
const valuesPerBreakdown = 30

/** Requests everything that a report shows for the current address. */
export function useReportData(slug: string | undefined): ReportData {
  const { address } = useNavigation()
  const now = useNow()
  const zone = address.zone ?? browserZone()
  const range = rangeOf(address, zone, now)
  const about = { range, zone }
  const path = reportPath(slug)
  const { from, to, interval } = range
  const limits = { from, ...(to !== undefined && { to }), tz: zone }
  const isFiltered = Object.keys(address.filters).length > 0
  // Even if the chart doesn't show it, since the cards show the change.
  const compare = range.canCompare ? { compare: 'previous' } : {}
  const ask = (report: string, query: Record<string, string>) => ({
    url: `${path}${report}?${new URLSearchParams(query)}`,
    about,
  })

  // Unknown links have no stream.
  const [isKnown, setKnown] = useState(slug === undefined)
  const live = useLive(slug, isKnown, now)
  const polling = {
    everyMs: live.isStreaming ? pauseWhileStreamingMs : usualPauseMs,
    news: live.counts?.visits,
  }
  const limit = String(address.more === undefined ? valuesPerBreakdown : 100)
  const days = usePolled<BreakdownReport, Asked>(
    isFiltered ? undefined : ask('/breakdowns', { interval, ...limits, limit, ...compare }),
    polling,
  )
  const widened = isFiltered ? undefined : widenedRange(days, about)
  const stats = usePolled<LinkStats | OverallStats, Asked>(
    widened === undefined
      ? ask('', { interval, ...limits, ...compare })
      : { url: `${path}?${widened.query}`, about: widened.about },
    polling,
  )
  if (stats.answer !== undefined && !isKnown) setKnown(true)
  const shown = useSameRange(stats, days, isFiltered)
  const filtered = usePolled<FilteredReport, Asked>(
    isFiltered && isKnown ? ask('/filtered', { interval, ...limits, limit, ...address.filters }) : undefined,
    { everyMs: filteredPauseMs },
  )
  const before = stats.answer?.data.previous
  const filteredBefore = usePolled<FilteredReport, Asked>(
    isFiltered && before !== undefined && stats.isCurrent && filtered.isCurrent
      ? ask('/filtered', { interval, from: before.from, to: before.to, tz: zone, ...address.filters })
      : undefined,
    { everyMs: pastPauseMs },
  )
  return {
    now,
    asked: about,
    metric: address.everyone || address.filters.class !== undefined ? 'visits' : 'humans',
    ...shown,
    filtered: isFiltered ? filtered : undefined,
    filteredBefore,
    live,
  }
}

/** Where breakdowns can only be counted for whole UTC days, everything else is shown for the same days. */
function widenedRange(days: Polled<BreakdownReport, Asked>, { range }: Asked) {
  if (!days.isCurrent || days.answer?.data.widened_because === undefined) return undefined
  const { from, to } = days.answer.data
  const interval = range.interval === 'minute' ? 'hour' : range.interval
  // A week or month begins before its first day: as a whole it would be another range.
  const isOfDays = interval === 'hour' || interval === 'day'
  const asked: AskedRange = { ...range, period: 'custom', interval: isOfDays ? interval : 'day' }
  const query = new URLSearchParams({
    ...{ interval: asked.interval, from, to, tz: 'UTC' },
    ...(range.canCompare && { compare: 'previous' }),
  })
  return { query, about: { range: asked, zone: 'UTC' } }
}

type Stats = Polled<LinkStats | OverallStats, Asked>
type Days = Polled<BreakdownReport, Asked>

/**
 * Two responses of one range. While one of them is already that of the next range (another one was chosen, or an hour is
 * over), what was shown before stays.
 */
function useSameRange(stats: Stats, days: Days, isFiltered: boolean): { stats: Stats; days: Days } {
  const last = useRef<{ stats: Stats['answer']; days: Days['answer'] }>(undefined)
  if (isFiltered || stats.answer === undefined || days.answer === undefined) return { stats, days }
  const { range } = stats.answer.data
  if (range.from === days.answer.data.from && range.to === days.answer.data.to) {
    last.current = { stats: stats.answer, days: days.answer }
    return { stats, days }
  }
  if (last.current === undefined || days.problem !== undefined || stats.problem !== undefined)
    return { stats, days: { ...days, answer: undefined } }
  return {
    stats: { ...stats, answer: last.current.stats, isCurrent: false },
    days: { ...days, answer: last.current.days, isCurrent: false },
  }
}
