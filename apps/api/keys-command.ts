/**
 * `npm run keys -- create NAME [--scopes links:read,links:write,…] [--expires 2027-01-31|90d] [--requests-per-minute N]`
 * `npm run keys -- list`
 * `npm run keys -- revoke ID`
 *
 * The first key is made here. Without --scopes it has `admin`, which allows everything. It is the only line on standard
 * output, so that a script can take it from there.
 */
import { parseArgs } from 'node:util'
import { readCommandConfiguration } from '@hopcount/shared/configuration/command-configuration.ts'
import { directDatabaseUrl } from '@hopcount/shared/configuration/configuration.ts'
import { openPool, poolConfig } from '@hopcount/shared/database/database.ts'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import { escapeControls } from '@hopcount/shared/escape-controls.ts'
import { runCommand } from '@hopcount/shared/run-command.ts'
import type { Pool } from 'pg'
import type { Actor, Scope } from './access/actor.ts'
import { scopes } from './access/actor.ts'
import { listKeys } from './access/key-queries.ts'
import { maxNameLength, maxRequestsPerMinute } from './keys/key-schema.ts'
import type { KeyRequest } from './keys/manage-keys.ts'
import { createKey, revokeKey, stateOf } from './keys/manage-keys.ts'

const usage =
  'usage: npm run keys -- create NAME [--scopes SCOPE,…] [--expires DATE|DAYSd] [--requests-per-minute N] | list | revoke ID'

const operator: Actor = { keyId: undefined, via: 'command', scopes: new Set(scopes) }
const dayMs = 86_400_000

await runCommand('keys', async () => {
  const work = parseCommand(process.argv.slice(2))
  const databaseUrl = directDatabaseUrl(readCommandConfiguration(process.env))
  const pool = openPool(
    poolConfig(databaseUrl, { max: 1, applicationName: 'hopcount keys', statementTimeoutMs: 10_000 }),
    () => {},
  )
  await work(pool)
  await pool.end()
})

function parseCommand(args: string[]): (pool: Pool) => Promise<void> {
  const { values, positionals } = parse(args)
  const [command, subject, ...rest] = positionals
  if (rest.length > 0) throw new Error(usage)
  if (command === 'create' && subject !== undefined) {
    const request = keyRequest(subject, values)
    return pool => create(pool, request)
  }
  if (Object.keys(values).length > 0) throw new Error(usage)
  if (command === 'list' && subject === undefined) return list
  if (command === 'revoke' && /^\d{1,15}$/.test(subject ?? '')) return pool => revoke(pool, Number(subject))
  throw new Error(usage)
}

function parse(args: string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { scopes: text, expires: text, 'requests-per-minute': text },
    })
  } catch (cause) {
    throw new Error(usage, { cause })
  }
}

function keyRequest(
  name: string,
  given: { scopes?: string; expires?: string; 'requests-per-minute'?: string },
): KeyRequest {
  const trimmed = name.trim()
  if (trimmed === '' || trimmed.length > maxNameLength || /\p{Cc}/u.test(trimmed))
    throw new Error(`NAME must have 1 to ${maxNameLength} characters, and no control characters`)
  return {
    name: trimmed,
    scopes: parseScopes(given.scopes),
    expiresAt: given.expires === undefined ? undefined : parseExpiry(given.expires),
    requestsPerMinute: parseLimit(given['requests-per-minute']),
  }
}

function parseScopes(text = 'admin'): Scope[] {
  const wanted = text.split(',').map(scope => scope.trim())
  const known = scopes.filter(scope => wanted.includes(scope))
  if (known.length !== new Set(wanted).size)
    throw new Error(`--scopes must list some of ${scopes.join(', ')}, separated by commas`)
  return known
}

/** `90d` from now, or the beginning of a day (UTC), or a time. */
function parseExpiry(text: string): Date {
  const days = /^(\d{1,5})d$/.exec(text)?.[1]
  const time = /^\d{4}-\d\d-\d\d(T.*)?$/.test(text) ? new Date(text) : undefined
  const expiresAt = days === undefined ? time : new Date(Date.now() + Number(days) * dayMs)
  if (expiresAt === undefined || !(expiresAt.getTime() > Date.now()))
    throw new Error(
      '--expires must be a date in the future, such as 2030-01-31, or a number of days, such as 90d',
    )
  return expiresAt
}

function parseLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const limit = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN
  if (!(limit <= maxRequestsPerMinute))
    throw new Error(`--requests-per-minute must be a number up to ${maxRequestsPerMinute}; 0: no limit`)
  return limit
}

async function create(pool: Pool, request: KeyRequest): Promise<void> {
  const { key, stored } = await inTransaction(pool, client => createKey(client, operator, request))
  process.stderr.write(
    `key ${stored.id} for ${request.name}, ${request.scopes.join(', ')}; it is not shown again:\n`,
  )
  process.stdout.write(`${key}\n`)
}

async function list(pool: Pool): Promise<void> {
  for (const key of await listKeys(pool)) {
    const state = stateOf(key, Date.now())
    const facts = [
      state,
      key.scopes.join(','),
      `created ${day(key.createdAt)}`,
      ...(key.expiresAt === null ? [] : [`expires ${day(key.expiresAt)}`]),
      ...(key.requestsPerMinute === null ? [] : [`${key.requestsPerMinute} requests per minute`]),
    ]
    process.stdout.write(`${key.id}  ${escapeControls(key.name)}  ${key.hint}…  ${facts.join('  ')}\n`)
  }
}

function day(time: Date): string {
  return time.toISOString().slice(0, 10)
}

async function revoke(pool: Pool, id: number): Promise<void> {
  const isKnown = await inTransaction(pool, client => revokeKey(client, operator, id))
  if (!isKnown) throw new Error(`there is no key ${id}`)
  process.stdout.write(`key ${id} is revoked; within a second it is refused everywhere\n`)
}
