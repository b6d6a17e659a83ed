/** Creates and revokes keys: the change, its line in the audit and the notice to all processes commit together. */
import type { ClientBase } from 'pg'
import type { Actor, Scope } from '../access/actor.ts'
import type { StoredKey } from '../access/key-queries.ts'
import { announceKeys, insertKey, markRevoked } from '../access/key-queries.ts'
import { generateKey, hashSecret, keyHint } from '../access/secrets.ts'
import { writeAudit } from '../audit/audit-queries.ts'

export interface KeyRequest {
  name: string
  scopes: Scope[]
  requestsPerMinute: number | undefined
  expiresAt: Date | undefined
}

/** `client`: in a transaction. Returns the key itself, too, which is stored nowhere. */
export async function createKey(
  client: ClientBase,
  actor: Actor,
  { name, scopes, requestsPerMinute, expiresAt }: KeyRequest,
): Promise<{ key: string; stored: StoredKey }> {
  const key = generateKey()
  const stored = await insertKey(client, {
    name,
    scopes,
    requestsPerMinute,
    expiresAt,
    hash: hashSecret(key),
    hint: keyHint(key),
    createdBy: actor.keyId,
  })
  const created = { scopes, expires_at: expiresAt?.toISOString(), requests_per_minute: requestsPerMinute }
  const changes = Object.entries(created).flatMap(([field, value]): [string, [null, unknown]][] =>
    value === undefined ? [] : [[field, [null, value]]],
  )
  await writeAudit(client, actor, [
    { action: 'key.created', linkId: undefined, subject: name, changes: Object.fromEntries(changes) },
  ])
  await announceKeys(client)
  return { key, stored }
}

/** `client`: in a transaction. False: there is no such key. Revoking twice changes nothing. */
export async function revokeKey(client: ClientBase, actor: Actor, id: number): Promise<boolean> {
  const key = await markRevoked(client, id)
  if (key === undefined) return false
  if (key.wasRevoked) return true
  await writeAudit(client, actor, [{ action: 'key.revoked', linkId: undefined, subject: key.name }])
  await announceKeys(client)
  return true
}

export function stateOf({ expiresAt, revokedAt }: StoredKey, now: number): 'active' | 'expired' | 'revoked' {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && expiresAt.getTime() <= now ? 'expired' : 'active'
}
