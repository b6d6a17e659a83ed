/**
 * The rows that `npm test` and the gate run: at least one for each promise of apps/README.md that a fault can break. One
 * round of each takes some three minutes together; every row, in its long form, is run by `npm run test:nightly`.
 */
import type { Row } from './row.ts'
import { apiKilled } from './rows/01-api-killed.ts'
import { flushAll } from './rows/10-flushall.ts'
import { redisOutOfMemory } from './rows/11-redis-out-of-memory.ts'
import { postgresKilled } from './rows/13-postgres-killed.ts'
import { cutInCommitOrAdd } from './rows/18-cut-in-commit-or-add.ts'
import { batchDeliveredTwice } from './rows/19-batch-delivered-twice.ts'
import { clockOff } from './rows/21-clock-off.ts'
import { hotLink } from './rows/23-hot-link.ts'
import { rows } from './rows.ts'

/** Each row with the promise that it is there for, as apps/README.md writes it. */
export const gateRows = new Map<Row, string>([
  [apiKilled, 'Durable before redirect'],
  [flushAll, 'The ledger is the truth, not the queue'],
  [redisOutOfMemory, 'Bounded memory'],
  [postgresKilled, 'Redirects outlive their dependencies'],
  [cutInCommitOrAdd, 'A batch id names immutable bytes'],
  [batchDeliveredTwice, 'Exactly once'],
  [clockOff, 'Event time'],
  [hotLink, 'No deadlock, no hot row'],
])

export const nightlyRows = rows.filter(row => !gateRows.has(row))
