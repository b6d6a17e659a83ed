import type { PoolClient } from 'pg'

/**
 * Sends several statements of one transaction without waiting for a response in between. PostgreSQL executes them in the
 * order in which `send` makes them. Returns their results, or throws the first error, which is the reason for those after it.
 * The connection must be idle, and `send` must not use COPY or cursors.
 *
 * `query_timeout` of each runs from here on, so all of them must be done within it.
 */
export async function sendTogether<Sent extends Promise<unknown>[] | []>(
  client: PoolClient,
  send: () => Sent,
): Promise<{ -readonly [Index in keyof Sent]: Awaited<Sent[Index]> }> {
  const connection: { pipeline: boolean } = client
  connection.pipeline = true
  try {
    const sent = send()
    // A connection whose responses are still on their way must not leave this mode.
    await Promise.allSettled(sent)
    return await Promise.all(sent)
  } finally {
    connection.pipeline = false
  }
}
