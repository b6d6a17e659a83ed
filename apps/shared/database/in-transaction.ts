import type { Pool, PoolClient } from 'pg'
import { PoolerClient } from './database-client.ts'

export interface TransactionOptions {
  /** READ COMMITTED by default, whatever the database's own default is: a statement sees what was committed before it. */
  isolation?: 'READ COMMITTED' | 'REPEATABLE READ'
  /** Statements without parameters for locks and settings, sent in the same round trip as BEGIN. */
  first?: string
}

/**
 * Runs `work` in one transaction: either everything it wrote is committed, or nothing.
 *
 * After any failure the state of the connection is unknown, so it is closed, which ends the transaction. There is no
 * ROLLBACK before: a late response to a COPY that `query_timeout` gave up on would end the process.
 *
 * If COMMIT itself fails, the transaction may have been committed: repeat only what may be done twice.
 */
export async function inTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
  { isolation = 'READ COMMITTED', first = '' }: TransactionOptions = {},
): Promise<Result> {
  const client = await pool.connect()
  let failed = true
  try {
    const settings = client instanceof PoolerClient ? client.transactionSettings : ''
    await client.query(`BEGIN ISOLATION LEVEL ${isolation}; ${settings} ${first}`)
    const result = await work(client)
    await client.query('COMMIT')
    failed = false
    return result
  } finally {
    client.release(failed)
  }
}
