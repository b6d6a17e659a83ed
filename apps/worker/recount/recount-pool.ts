import { poolConfig } from '@hopcount/shared/database/database.ts'
import type { PoolConfig } from 'pg'

/** Three connections: one holds locks, one reads a snapshot, one writes. They are opened when they are needed. */
export function recountPoolConfig(databaseUrl: string, applicationName: string): PoolConfig {
  return {
    ...poolConfig(databaseUrl, { max: 3, applicationName, statementTimeoutMs: 3_600_000 }),
    // A transaction is idle while this process sums a day's breakdowns between two statements.
    idle_in_transaction_session_timeout: 120_000,
  }
}
