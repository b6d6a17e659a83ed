/** Paths of the statistics, and the types of their responses, which are those of the API's schemas. */
import type { BreakdownReport, BreakdownValue } from '../../../api/stats/breakdowns/breakdown-schema.ts'
import type { Counts } from '../../../api/stats/counts.ts'
import type { FilteredReport } from '../../../api/stats/filtered/filtered-schema.ts'
import type { LinkStats, OverallStats } from '../../../api/stats/link-stats-schema.ts'
import type { LiveCounts as LiveCountsEvent, LiveFreshness } from '../../../api/stats/live/live-schema.ts'
import type { Orphans } from '../../../api/stats/orphans/orphans-schema.ts'
import type { ListedLink } from '../../../api/stats/top-links/top-links-schema.ts'
import type { VisitOfAnyLink, Visit as VisitOfLink } from '../../../api/stats/visits/visit-schema.ts'
import type { Address } from '../address.ts'

export type {
  BreakdownReport,
  BreakdownValue,
  Counts,
  FilteredReport,
  LinkStats,
  ListedLink,
  Orphans,
  OverallStats,
}

/** The counts that the page can show. */
export type Metric = 'visits' | 'humans'

/**
 * What every list and report leads with: visits by humans. Where only bots and previews came, all visits: else a first
 * test with curl or a load test would look as if nothing had been counted.
 */
export function leadMetric({ visits, humans }: Pick<Counts, Metric>): Metric {
  return humans === 0 && visits > 0 ? 'visits' : 'humans'
}

/** What the reports on one link and on all links have in common. */
export type ReportStats = LinkStats | OverallStats
export type Bucket = ReportStats['series'][number]
/** Visits of all links come with a slug. */
export type Visit = VisitOfLink & Partial<Pick<VisitOfAnyLink, 'slug'>>
/** While there is no stream, the counts are read from a report. */
export type LiveCounts = Omit<LiveCountsEvent, keyof LiveFreshness>
export type LiveEvent = LiveFreshness & (LiveCounts | object)

export const orphansUrl = '/stats/orphans?limit=10'
export const topLinks = '10'

/** Links by their visits, for those who may see nothing else of them. */
export function visitedLinksUrl({ window, sort, search, after }: Address): string {
  const query = new URLSearchParams({ limit: '25', window, sparkline: 'true' })
  if (sort !== 'newest') query.set('sort', sort)
  if (search !== undefined) query.set('search', searchedText(search))
  if (after !== undefined) query.set('after', after)
  return `/stats?${query}`
}

/** The most visited links in a report's range. */
export function topLinksUrl(range: { from: string; to: string } | 'all', sort: Metric): string {
  const limits = range === 'all' ? { window: range } : { from: range.from, to: range.to }
  return `/stats?${new URLSearchParams({ limit: topLinks, ...limits, sort })}`
}

/** The path of a link's reports, or without a slug of those on all links together. */
export function reportPath(slug: string | undefined): string {
  return `/stats/${slug === undefined ? 'overall' : encodeURIComponent(slug)}`
}

export function livePath(slug: string | undefined): string {
  return slug === undefined ? '/stats/live' : `${reportPath(slug)}/live`
}

/** People write a slug as it is shown, with a slash before it. */
export function searchedText(text: string): string {
  return text.trim().replace(/^\/+(?=.)/, '')
}
