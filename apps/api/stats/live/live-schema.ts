import type { Counts } from '../counts.ts'

/** The data of the event `counts`, as JSON. The visits are those of all time. */
export interface LiveCounts extends Counts {
  /** RFC 3339; all visits before it are included. */
  as_of: string
  /** Visits by humans since the start of the minute five minutes ago. */
  last_5_minutes: number
  last_visit: string | null
}
