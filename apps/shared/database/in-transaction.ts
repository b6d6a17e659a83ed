import type { Pool, PoolClient } from 'pg'

/**
 * Runs `work` in one transaction: either everything it wrote is committed, or nothing.
 *
 * After any failure the state of the connection is unknown, so it is closed, which ends the transaction. There is no
 * ROLLBACK before: a late response to a COPY that `query_timeout` gave up on would end the process.
 *
 * If COMMIT itself fails, the transaction may have been committed: repeat only what may be done twice.
 *
 * @param begin the first statement, for an isolation level, or for locks and settings in the same round trip
 */
export async function inTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
  begin = 'BEGIN',
): Promise<Result> {
  const client = await pool.connect()
  let failed = true
  try {
    await client.query(begin)
    const result = await work(client)
    await client.query('COMMIT')
    failed = false
    return result
  } finally {
    client.release(failed)
  }
}
