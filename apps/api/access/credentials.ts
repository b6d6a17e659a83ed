/**
 * The keys and sessions that are valid, in memory: checking one costs no query. One that is not known may be new: it waits
 * for the notices that are on their way, together with all others of the last 50 ms.
 *
 * All of them are read again when a notice says that one has changed, and before they are trusted once that could have
 * been missed. They are trusted for `trustMs` from the start of the query, and beyond that while the listening connection
 * proves that every change has been heard (links/link-changes.ts). So a key that is revoked is refused by every process
 * within a second; if the listening connection is down, that costs about one query a second, and if the database can't
 * be read, nothing is allowed: 503.
 */
import { timingSafeEqual } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import { isConnectionError } from '../errors/error-handlers.ts'
import type { Problem } from '../errors/problem.ts'
import { unavailable } from '../errors/problem.ts'
import type { ActiveKey, ActiveSession } from './actor.ts'
import type { ActiveKeyRow, SessionRow } from './key-queries.ts'
import { activeKeys, activeSessions } from './key-queries.ts'
import { hashSecret } from './secrets.ts'

/** What was valid at one time; expiry is compared with the clock at each look-up. */
export interface Credentials {
  key(secret: string): ActiveKey | undefined
  session(token: string): ActiveSession | undefined
}

export interface CredentialStore {
  /** Undefined: they have to be read first. */
  trusted(): Credentials | undefined
  /**
   * For a credential that `trusted` does not know: it may have been made a moment ago, by another process. Rejects with a
   * Problem (503) if they can't be read.
   */
  settled(): Promise<Credentials>
  /** Rejects with a Problem (503) if they can't be read in time. */
  read(): Promise<Credentials>
  /** This process has changed them. */
  changed(): void
}

/** The part of the listening connection that is needed here (links/link-changes.ts). */
export interface KeyNotices {
  /** True: every change that was committed more than a second ago has been heard. */
  isCurrent(): boolean
  /** Resolves once everything that was committed before the call has been heard. */
  catchUp(): Promise<void>
  onNotice(channel: string, listener: { heard(payload: string): void; onGap(): void }): void
}

/** How often the connection is asked at most, so that a flood of wrong keys costs next to nothing. */
const catchUpEveryMs = 50
const trustMs = 900
const readDeadlineMs = 3_000

export function createCredentialStore({
  pool,
  changes,
}: {
  pool: Pool
  changes: KeyNotices
}): CredentialStore {
  /** Raised by each change. What a query has read is trusted only if none was heard since it began. */
  let version = 0
  let latest: Reading | undefined
  let reading: { startedAt: number; result: Promise<Reading> } | undefined
  const changed = () => {
    version++
  }
  changes.onNotice('hopcount_keys', { heard: changed, onGap: changed })

  function trusted(): Credentials | undefined {
    if (latest === undefined || latest.version !== version) return undefined
    return performance.now() - latest.startedAt < trustMs || changes.isCurrent()
      ? latest.credentials
      : undefined
  }

  let nextCatchUp: Promise<void> | undefined

  async function settled(): Promise<Credentials> {
    nextCatchUp ??= sleep(catchUpEveryMs).then(() => {
      nextCatchUp = undefined
      // Without the connection, what is read below is at most a second old.
      return changes.catchUp().catch(() => {})
    })
    await nextCatchUp
    return trusted() ?? read()
  }

  async function read(): Promise<Credentials> {
    const askedAt = performance.now()
    let late: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(notReadable()), readDeadlineMs)
    })
    try {
      return await Promise.race([readSince(askedAt), deadline])
    } catch (error) {
      throw isConnectionError(error) ? notReadable() : error
    } finally {
      clearTimeout(late)
    }
  }

  /** Requests that arrive while a query is under way share the next one: it began after them. */
  async function readSince(askedAt: number): Promise<Credentials> {
    for (;;) {
      reading ??= startReading()
      const current = reading
      const { credentials } = await current.result
      if (current.startedAt >= askedAt) return credentials
      const known = trusted()
      if (known !== undefined) return known
    }
  }

  function startReading() {
    const startedAt = performance.now()
    const startedWith = version
    const result = (async () => {
      try {
        const [keys, sessions] = await Promise.all([activeKeys(pool), activeSessions(pool)])
        latest = { startedAt, version: startedWith, credentials: createCredentials(keys, sessions) }
        return latest
      } finally {
        reading = undefined
      }
    })()
    return { startedAt, result }
  }

  return { trusted, settled, read, changed }
}

interface Reading {
  startedAt: number
  version: number
  credentials: Credentials
}

function notReadable(): Problem {
  return unavailable('Keys can not be checked at the moment. Please try again.')
}

function createCredentials(keyRows: ActiveKeyRow[], sessionRows: SessionRow[]): Credentials {
  const keys = new Map<string, { hash: Buffer; key: ActiveKey }>()
  const keysById = new Map<number, ActiveKey>()
  for (const { id, name, hash, scopes, requestsPerMinute, expiresAt } of keyRows) {
    const key = {
      id,
      name,
      scopes: new Set(scopes),
      requestsPerMinute: requestsPerMinute ?? undefined,
      expiresAt: expiresAt ?? undefined,
    }
    keysById.set(id, key)
    keys.set(placeOf(hash), { hash, key })
  }
  const sessions = new Map<string, SessionRow>(sessionRows.map(row => [placeOf(row.hash), row]))

  return {
    key(secret) {
      const hash = hashSecret(secret)
      const found = keys.get(placeOf(hash))
      if (found === undefined || !timingSafeEqual(found.hash, hash) || isOver(found.key.expiresAt))
        return undefined
      return found.key
    },
    session(token) {
      const hash = hashSecret(token)
      const found = sessions.get(placeOf(hash))
      if (found === undefined || !timingSafeEqual(found.hash, hash) || isOver(found.expiresAt))
        return undefined
      const key = keysById.get(found.keyId)
      if (key === undefined || isOver(key.expiresAt)) return undefined
      const { createdAt, expiresAt } = found
      return { hash, key, createdAt, expiresAt }
    },
  }
}

/** The time to find a place tells something about the first bytes of a hash, and nothing about what was hashed. */
function placeOf(hash: Buffer): string {
  return hash.toString('latin1', 0, 8)
}

function isOver(end: Date | undefined): boolean {
  return end !== undefined && end.getTime() <= Date.now()
}
