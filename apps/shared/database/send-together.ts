import type { PoolClient } from 'pg'

/**
 * Sends several statements of one transaction without waiting for a response in between. PostgreSQL executes them in the
 * order in which `send` makes them. Resolves when all have succeeded, otherwise throws the first error, which is the reason
 * for all others. The connection must be idle, and `send` must not use COPY or cursors.
 *
 * `query_timeout` runs from here on for all of them.
 */
export async function sendTogether(client: PoolClient, send: () => Promise<unknown>[]): Promise<void> {
  const connection: { pipeline: boolean } = client
  connection.pipeline = true
  try {
    const results = await Promise.allSettled(send())
    const failed = results.find(result => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  } finally {
    connection.pipeline = false
  }
}
