import type { Database } from '@hopcount/shared/database/query-builder.ts'
import type { SharedAnswers } from './shared-responses.ts'

/** What every route of statistics gets. */
export interface StatsContext {
  database: Database
  answers: SharedAnswers
  /** The routes' `config`: limits of rates. */
  config: object
}
