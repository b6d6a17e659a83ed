import type { Database } from '@hopcount/shared/database/query-builder.ts'
import type { PublicAddress } from '../links/short-urls.ts'
import type { SharedResponses } from './shared-responses.ts'
import type { Turns } from './turns.ts'

/** What every route of the statistics needs. */
export interface StatsContext extends PublicAddress {
  database: Database
  responses: SharedResponses
  /** The routes' `config`: who may use them, and rate limits. */
  config: object
}

export interface RawContext extends StatsContext {
  /** One for each request that reads raw visits. */
  rawTurns: Turns
}
