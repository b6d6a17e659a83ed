import type { ClientBase, Pool } from 'pg'
import type { Scope } from './actor.ts'

type Database = Pick<Pool | ClientBase, 'query'>

export interface StoredKey {
  id: number
  name: string
  hint: string
  scopes: Scope[]
  requestsPerMinute: number | null
  createdAt: Date
  expiresAt: Date | null
  revokedAt: Date | null
}

const keyColumns = `id, name, hint, scopes, requests_per_minute AS "requestsPerMinute", created_at AS "createdAt",
  expires_at AS "expiresAt", revoked_at AS "revokedAt"`

/** Newest first. */
export async function listKeys(database: Database): Promise<StoredKey[]> {
  const { rows } = await database.query<StoredKey>(`SELECT ${keyColumns} FROM keys ORDER BY id DESC`)
  return rows
}

export interface NewKey {
  name: string
  hash: Buffer
  hint: string
  scopes: Scope[]
  requestsPerMinute: number | undefined
  expiresAt: Date | undefined
  createdBy: number | undefined
}

export async function insertKey(database: Database, key: NewKey): Promise<StoredKey> {
  const { name, hash, hint, scopes, requestsPerMinute, expiresAt, createdBy } = key
  const { rows } = await database.query<StoredKey>({
    text: `INSERT INTO keys (name, hash, hint, scopes, requests_per_minute, expires_at, created_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${keyColumns}`,
    values: [name, hash, hint, scopes, requestsPerMinute ?? null, expiresAt ?? null, createdBy ?? null],
  })
  const [stored] = rows
  if (stored === undefined) throw new Error('the key was not stored')
  return stored
}

/** Revokes it unless it is revoked already. Undefined: there is no such key. */
export async function markRevoked(
  database: Database,
  id: number,
): Promise<{ name: string; wasRevoked: boolean } | undefined> {
  const { rows } = await database.query<{ name: string; wasRevoked: boolean }>({
    text: `WITH before AS (SELECT id, name, revoked_at FROM keys WHERE id = $1 FOR UPDATE),
                after AS (UPDATE keys SET revoked_at = now()
                          FROM before WHERE keys.id = before.id AND before.revoked_at IS NULL)
           SELECT name, revoked_at IS NOT NULL AS "wasRevoked" FROM before`,
    values: [id],
  })
  return rows[0]
}

export interface ActiveKeyRow {
  id: number
  name: string
  hash: Buffer
  scopes: Scope[]
  requestsPerMinute: number | null
  expiresAt: Date | null
}

export async function activeKeys(database: Database): Promise<ActiveKeyRow[]> {
  const { rows } = await database.query<ActiveKeyRow>({
    name: 'active-keys',
    text: `SELECT id, name, hash, scopes, requests_per_minute AS "requestsPerMinute", expires_at AS "expiresAt"
           FROM keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
  })
  return rows
}

export interface SessionRow {
  hash: Buffer
  keyId: number
  createdAt: Date
  expiresAt: Date
}

export async function activeSessions(database: Database): Promise<SessionRow[]> {
  const { rows } = await database.query<SessionRow>({
    name: 'active-sessions',
    text: `SELECT hash, key_id AS "keyId", created_at AS "createdAt", expires_at AS "expiresAt"
           FROM sessions WHERE expires_at > now()`,
  })
  return rows
}

/** A notice that commits together with the change: all processes read keys and sessions again. */
const notice = `SELECT pg_notify('hopcount_keys', '')`

export async function announceKeys(database: Database): Promise<void> {
  await database.query(notice)
}

export async function insertSession(
  database: Database,
  { hash, keyId, expiresAt }: Omit<SessionRow, 'createdAt'>,
): Promise<void> {
  await database.query({
    text: `WITH session AS (INSERT INTO sessions (hash, key_id, expires_at) VALUES ($1, $2, $3)) ${notice}`,
    values: [hash, keyId, expiresAt],
  })
}

export async function extendSession(
  database: Database,
  { hash, expiresAt }: Pick<SessionRow, 'hash' | 'expiresAt'>,
): Promise<void> {
  await database.query({
    text: `WITH session AS (UPDATE sessions SET expires_at = $2 WHERE hash = $1) ${notice}`,
    values: [hash, expiresAt],
  })
}

export async function deleteSession(database: Database, hash: Buffer): Promise<void> {
  await database.query({
    text: `WITH session AS (DELETE FROM sessions WHERE hash = $1) ${notice}`,
    values: [hash],
  })
}
