import type { Window } from '../address.ts'

/** `GET /stats`: the most visited links. */
export interface TopLink {
  slug: string
  long_url: string
  visits: number
  last_visit: string
}

/** `GET /stats/:slug`. */
export interface LinkStats {
  slug: string
  long_url: string
  visits: number
  first_visit: string | null
  last_visit: string | null
  series: { start: string; visits: number }[]
  recent: { visited_at: string; referrer: string | null; user_agent: string | null }[]
}

const linksPerPage = 10

export function topLinksUrl(window: Window, after: string | undefined): string {
  const query = new URLSearchParams({ limit: String(linksPerPage), window })
  if (after !== undefined) query.set('after', after)
  return `/stats?${query}`
}

export function linkStatsUrl(slug: string, series: { interval: string; from: string }, zone: string): string {
  return `/stats/${encodeURIComponent(slug)}?${new URLSearchParams({ ...series, tz: zone })}`
}
