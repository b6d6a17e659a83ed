/**
 * The rows that `npm test` and the gate run: one for each promise of apps/README.md that only a fault can break. One
 * round of each takes some two minutes together; every row, in its long form, is run by `npm run test:nightly`.
 */
import type { Row } from './row.ts'
import { apiKilled } from './rows/01-api-killed.ts'
import { flushAll } from './rows/10-flushall.ts'
import { postgresKilled } from './rows/13-postgres-killed.ts'
import { batchDeliveredTwice } from './rows/19-batch-delivered-twice.ts'
import { hotLink } from './rows/23-hot-link.ts'
import { rows } from './rows.ts'

/** Each row with the promise that it is there for, as apps/README.md writes it. */
export const gateRows = new Map<Row, string>([
  [apiKilled, 'Durable before redirect'],
  [flushAll, 'The ledger is the truth, not the queue'],
  [postgresKilled, 'Redirects outlive their dependencies'],
  [batchDeliveredTwice, 'Exactly once'],
  [hotLink, 'No deadlock, no hot row'],
])

export const nightlyRows = rows.filter(row => !gateRows.has(row))
