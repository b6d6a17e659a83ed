import type { Database } from '@hopcount/shared/database/query-builder.ts'
import type { PublicAddress } from '../links/short-urls.ts'
import type { SharedResponses } from './shared-responses.ts'

/** What every route of the statistics needs. */
export interface StatsContext extends PublicAddress {
  database: Database
  responses: SharedResponses
  /** The routes' `config`: who may use them, and rate limits. */
  config: object
}
