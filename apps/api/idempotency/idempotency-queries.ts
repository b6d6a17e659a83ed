import type { ClientBase } from 'pg'

interface KeyHash {
  owner: number
  hash: Buffer
}

/** Taken until the transaction ends, also by the death of this process. False: somebody else has it. */
export async function tryLockKey(client: ClientBase, { owner, hash }: KeyHash): Promise<boolean> {
  const { rows } = await client.query<{ alone: boolean }>({
    name: 'lock-idempotency-key',
    text: 'SELECT pg_try_advisory_xact_lock($1::bigint # $2::bigint) AS alone',
    values: [hash.readBigInt64BE(), owner],
  })
  return rows[0]?.alone === true
}

export interface StoredResponse {
  requestHash: Buffer
  response: Buffer
}

/**
 * The response that was stored in the last 24 h. Asked for in a statement of its own after the lock: a statement that
 * took the lock would still see the table as it was before.
 */
export async function findResponse(
  client: ClientBase,
  { owner, hash }: KeyHash,
): Promise<StoredResponse | undefined> {
  const { rows } = await client.query<{ request_hash: Buffer; response: Buffer }>({
    name: 'find-idempotent-response',
    text: `SELECT request_hash, response FROM idempotency_keys
           WHERE owner = $1 AND hash = $2 AND created_at > now() - interval '24 hours'`,
    values: [owner, hash],
  })
  const row = rows[0]
  return row && { requestHash: row.request_hash, response: row.response }
}

/** Replaces one that is older than 24 h and not removed yet. */
export async function storeResponse(
  client: ClientBase,
  { owner, hash }: KeyHash,
  { requestHash, response }: StoredResponse,
): Promise<void> {
  await client.query({
    name: 'store-idempotent-response',
    text: `INSERT INTO idempotency_keys (owner, hash, request_hash, response) VALUES ($1, $2, $3, $4)
           ON CONFLICT (owner, hash) DO UPDATE
             SET request_hash = excluded.request_hash, response = excluded.response, created_at = excluded.created_at`,
    values: [owner, hash, requestHash, response],
  })
}
