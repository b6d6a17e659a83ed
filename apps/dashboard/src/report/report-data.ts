import { useRef, useState } from 'preact/hooks'
import { browserZone } from '../address.ts'
import type { Live } from '../api/live.ts'
import { newsOf, useLive, useStream } from '../api/live.ts'
import type { Polled } from '../api/poll.ts'
import { streamedLeadPauseMs, usePolled } from '../api/poll.ts'
import type { Problem } from '../api/problem.ts'
import { isRefusal } from '../api/problem.ts'
import type { BreakdownReport, FilteredReport, LinkStats, Metric, OverallStats } from '../api/stats.ts'
import { leadMetric, reportPath, topLinks } from '../api/stats.ts'
import { useNavigation } from '../navigation.tsx'
import { useNow } from '../text/now.ts'
import { requestedComparison } from './period/comparison.ts'
import { rangeOf } from './period/period.ts'
import type { RequestedRange } from './period/requested-range.ts'

/** The range and zone of a report's numbers. */
export interface Requested {
  range: RequestedRange
  zone: string
}

export interface ReportData {
  now: number
  /** The current request, for controls and exports. Shown data carries its own. */
  requested: Requested
  metric: Metric
  /** Nobody but bots and previews came in the range: all visits are shown, unless the user has chosen otherwise. */
  isOnlyBots: boolean
  stats: Polled<LinkStats | OverallStats, Requested>
  /** For the UTC days that the range touches; not requested while there are filters. */
  days: Polled<BreakdownReport, Requested>
  /** Undefined: no filters, or nothing is known of them yet. */
  filtered: Polled<FilteredReport, Requested> | undefined
  /** Why all visits are shown although there are filters. */
  refusal: Problem | undefined
  /** Whether filters have been chosen that what is shown does not follow. */
  isBehindFilters: boolean
  live: Live
  /** Changes when there are other visits to show. */
  news: unknown
}

/** Filtered reports are counted from raw visits. */
const filteredPauseMs = 10_000
/** The API counts for up to 2 s, and first waits for others that do. */
const filteredWaitMs = 15_000
const valuesPerBreakdown = 30

/** Requests everything that a report shows for the current address. */
export function useReportData(slug: string | undefined): ReportData {
  const { address } = useNavigation()
  const now = useNow()
  const zone = address.zone ?? browserZone()
  const path = reportPath(slug)
  const isOfAllTime = address.period === 'all'
  const first = usePolled<LinkStats | OverallStats>(
    isOfAllTime ? { url: `${path}?interval=month`, about: undefined } : undefined,
  )
  const firstVisit = first.response?.data.first_visit
  const range = rangeOf(address, zone, now, firstVisit ? Date.parse(firstVisit) : now)
  const isReady = !isOfAllTime || first.response !== undefined
  const about = { range, zone }
  const { from, to, interval } = range
  const limits = { from, ...(to !== undefined && { to }), tz: zone }
  const hasFilters = Object.keys(address.filters).length > 0
  const compare = requestedComparison(range)
  const requestFor = (report: string, query: Record<string, string>) => ({
    url: `${path}${report}?${new URLSearchParams(query)}`,
    about,
  })

  // Unknown links have no stream.
  const [isKnown, setKnown] = useState(slug === undefined)
  const stream = useStream(slug, isKnown)
  /** Visits of all time: what is counted from them is requested when this changes. */
  const [visits, setVisits] = useState<number>()
  const news = stream.news ?? (visits === undefined ? undefined : newsOf(visits, false))
  const limit = String(address.more === undefined ? valuesPerBreakdown : 100)
  const filtered = usePolled<FilteredReport, Requested>(
    hasFilters && isKnown && isReady
      ? requestFor('/filtered', {
          ...{ interval, ...limits, limit, ...compare },
          ...(slug === undefined && { top_links: topLinks, sort: address.everyone ? 'visits' : 'humans' }),
          ...address.filters,
        })
      : undefined,
    { news, newsEveryMs: filteredPauseMs, waitMs: filteredWaitMs, forgets: true },
  )
  const refusal = filtered.problem && isRefusal(filtered.problem) ? filtered.problem : undefined
  // What can't be filtered is shown for all visits.
  const isFiltered = hasFilters && refusal === undefined
  const days = usePolled<BreakdownReport, Requested>(
    isFiltered || !isReady
      ? undefined
      : requestFor('/breakdowns', { interval, ...limits, limit, ...compare }),
    { news },
  )
  const widened = isFiltered ? undefined : widenedRange(days, about)
  const stats = usePolled<LinkStats | OverallStats, Requested>(
    !isReady
      ? undefined
      : widened === undefined
        ? requestFor('', { interval, ...limits, ...compare })
        : { url: `${path}?${widened.query}`, about: widened.about },
    { news, lead: true, ...(stream.isStreaming && { everyMs: streamedLeadPauseMs }) },
  )
  if (stats.response !== undefined && !isKnown) setKnown(true)
  if (stats.response !== undefined && stats.response.data.visits !== visits)
    setVisits(stats.response.data.visits)
  const live = useLive(slug, isKnown, stream, news, now)
  const shown = useSameRange(stats, days, isFiltered)
  const counts = (isFiltered ? filtered.response?.data : undefined) ?? shown.stats.response?.data.range
  const isOnlyBots =
    address.filters.class === undefined && counts !== undefined && leadMetric(counts) === 'visits'
  return {
    now,
    requested: about,
    metric: (address.everyone ?? isOnlyBots) || address.filters.class !== undefined ? 'visits' : 'humans',
    isOnlyBots,
    ...shown,
    stats: { ...shown.stats, problem: shown.stats.problem ?? first.problem },
    filtered: isFiltered && filtered.response !== undefined ? filtered : undefined,
    refusal,
    isBehindFilters: hasFilters && !filtered.isCurrent,
    live,
    news,
  }
}

/** Where breakdowns can only be counted for whole UTC days, everything else is shown for the same days. */
function widenedRange(days: Polled<BreakdownReport, Requested>, { range }: Requested) {
  if (!days.isCurrent || days.response?.data.widened_because === undefined) return undefined
  const { from, to } = days.response.data
  const interval = range.interval === 'minute' ? 'hour' : range.interval
  // A week or month begins before its first day: as a whole it would be another range.
  const isOfDays = interval === 'hour' || interval === 'day'
  const requested: RequestedRange = {
    ...{ ...range, period: 'custom', from: from.slice(0, 10) },
    interval: isOfDays ? interval : 'day',
  }
  const query = new URLSearchParams({
    ...{ interval: requested.interval, from, to, tz: 'UTC' },
    ...requestedComparison(range),
  })
  return { query, about: { range: requested, zone: 'UTC' } }
}

type Stats = Polled<LinkStats | OverallStats, Requested>
type Days = Polled<BreakdownReport, Requested>

/**
 * Two responses of one range. While one of them is already that of the next range (another one was chosen, or an hour is
 * over), what was shown before stays.
 */
function useSameRange(stats: Stats, days: Days, isFiltered: boolean): { stats: Stats; days: Days } {
  const last = useRef<{ stats: Stats['response']; days: Days['response'] }>(undefined)
  if (isFiltered || stats.response === undefined || days.response === undefined) return { stats, days }
  const { range } = stats.response.data
  if (range.from === days.response.data.from && range.to === days.response.data.to) {
    last.current = { stats: stats.response, days: days.response }
    return { stats, days }
  }
  if (last.current === undefined || days.problem !== undefined || stats.problem !== undefined)
    return { stats, days: { ...days, response: undefined } }
  return {
    stats: { ...stats, response: last.current.stats, isCurrent: false },
    days: { ...days, response: last.current.days, isCurrent: false },
  }
}
