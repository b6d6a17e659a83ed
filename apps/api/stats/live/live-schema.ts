import type { Counts } from '../counts.ts'

/** The data of the event `freshness`, as JSON. */
export interface LiveFreshness {
  /** RFC 3339; all visits before it are included. */
  as_of: string
  /** When it was read, by the server's clock. */
  at: string
  /** Visits that were redirected but may not be included yet. */
  pending: number
}

/** The data of the event `counts`, as JSON. The visits are those of all time. */
export interface LiveCounts extends Counts, LiveFreshness {
  /** Visits by humans since the start of the minute five minutes ago. */
  last_5_minutes: number
  last_visit: string | null
}
