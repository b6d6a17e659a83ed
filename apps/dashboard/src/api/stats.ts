/** What the API answers about visits, and where it is asked. Times are RFC 3339 in UTC. */
import type { Address, Dimension } from '../address.ts'

/** `visits` is every redirect answered: humans + bots + previews. */
export interface Counts {
  visits: number
  humans: number
  bots: number
  previews: number
}

/** Which of them the page shows. */
export type Metric = 'visits' | 'humans'

/** `GET /stats`: links in the order asked for. */
export interface ListedLink extends Counts {
  slug: string
  long_url: string
  uniques: number
  last_visit: string | null
  created_at: string
  growth?: number
  /** People's visits per UTC day, the last 7, oldest first. */
  sparkline?: number[]
}

export interface Bucket extends Counts {
  start: string
}

/** `to` is exclusive. */
export interface Range extends Counts {
  from: string
  to: string
}

/** What `GET /stats/:slug` and `GET /stats/overall` have in common. */
export interface ReportStats extends Counts {
  uniques: number
  first_visit: string | null
  last_visit: string | null
  range: Range
  series: Bucket[]
  /** `so_far`: at the time that the running period has come to. */
  previous?: Range & { series: Bucket[]; so_far?: Counts }
}

export interface LinkStats extends ReportStats {
  slug: string
  long_url: string
  created_at: string
  expires_at: string | null
}

export interface OverallStats extends ReportStats {
  links: number
}

/** `value` is empty where it is not told, `*` for all others. */
export interface BreakdownValue {
  value: string
  visits: number
  humans: number
}

export type Breakdowns = Partial<Record<Dimension, BreakdownValue[]>>

/** `GET …/breakdowns`: of whole UTC days. */
export interface DaysStats extends Range {
  uniques: number
  previous?: Range & { uniques: number }
  breakdowns: Breakdowns
}

/** `GET …/filtered`. */
export interface FilteredStats extends Range {
  series: Bucket[]
  breakdowns: Breakdowns
}

/** `GET …/visits`; `slug` among those of all links. */
export interface Visit {
  slug?: string
  visited_at: string
  referrer: string | null
  user_agent: string | null
  country: string | null
  language: string | null
  class: 'human' | 'bot' | 'preview'
}

/** `GET /stats/orphans`. */
export interface Orphans {
  slugs: { slug: string; requests: number; last_day: string }[]
}

/** Event `counts` of `GET …/live`: of all time. */
export interface LiveCounts extends Counts {
  last_5_minutes: number
  last_visit: string | null
}

export const orphansUrl = '/stats/orphans?limit=10'
const linksPerPage = 10

export function linksUrl({ window, sort, search, after }: Address): string {
  const query = new URLSearchParams({ limit: String(linksPerPage), window, sparkline: 'true' })
  if (sort !== 'visits') query.set('sort', sort)
  if (search !== undefined) query.set('search', searchedText(search))
  if (after !== undefined) query.set('after', after)
  return `/stats?${query}`
}

/** The links with most visits of a report's range. */
export function topLinksUrl(from: string, to: string | undefined, zone: string): string {
  return `/stats?${new URLSearchParams({ limit: String(linksPerPage), from, ...(to !== undefined && { to }), tz: zone })}`
}

/** Where the reports of a link lie, or without a slug those of all links together. */
export function reportPath(slug: string | undefined): string {
  return `/stats/${slug === undefined ? 'overall' : encodeURIComponent(slug)}`
}

export function livePath(slug: string | undefined): string {
  return slug === undefined ? '/stats/live' : `${reportPath(slug)}/live`
}

/** The API looks for the beginning of a slug or a whole long URL. People paste short links, too. */
export function searchedText(text: string): string {
  const trimmed = text.trim()
  const isShort = trimmed.startsWith(`${location.origin}/`)
  return (isShort ? trimmed.slice(location.origin.length) : trimmed).replace(/^\/+(?=.)/, '')
}
