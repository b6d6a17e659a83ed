import type { Pool } from 'pg'

const rowsAtATime = 1_000

/**
 * Removes sessions that have expired, and responses to requests with an Idempotency-Key once they are too old to be sent
 * again (24 h). Neither is used any more. Revoked keys stay, since the audit names them. Returns the number of rows.
 */
export async function retireCredentials(pool: Pool): Promise<number> {
  return (
    (await deleteAll(
      pool,
      `DELETE FROM sessions WHERE hash IN
         (SELECT hash FROM sessions WHERE expires_at <= now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    )) +
    (await deleteAll(
      pool,
      `DELETE FROM idempotency_keys WHERE (owner, hash) IN
         (SELECT owner, hash FROM idempotency_keys WHERE created_at <= now() - interval '24 hours'
          ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    ))
  )
}

async function deleteAll(pool: Pool, statement: string): Promise<number> {
  let deleted = 0
  for (;;) {
    const { rowCount } = await pool.query(statement, [rowsAtATime])
    deleted += rowCount ?? 0
    if ((rowCount ?? 0) < rowsAtATime) return deleted
  }
}
