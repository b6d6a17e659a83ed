/** Keys of an installation under test. */
import type pg from 'pg'
import type { Scope } from '../../apps/api/access/actor.ts'
import { scopes } from '../../apps/api/access/actor.ts'
import { createKey, revokeKey } from '../../apps/api/keys/manage-keys.ts'
import { inTransaction } from '../../apps/shared/database/in-transaction.ts'

const operator = { keyId: undefined, via: 'command', scopes: new Set(scopes) } as const

export async function makeKey(
  pool: pg.Pool,
  keyScopes: Scope[],
  options: { expiresAt?: Date; requestsPerMinute?: number; name?: string } = {},
): Promise<{ key: string; id: number }> {
  const { expiresAt, requestsPerMinute, name = keyScopes.join(' ') } = options
  const request = { name, scopes: keyScopes, expiresAt, requestsPerMinute }
  const { key, stored } = await inTransaction(pool, client => createKey(client, operator, request))
  return { key, id: stored.id }
}

export async function revoke(pool: pg.Pool, id: number): Promise<void> {
  await inTransaction(pool, client => revokeKey(client, operator, id))
}
