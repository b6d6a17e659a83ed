import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { errorText } from '../log.ts'
import { DatabaseClient } from './database-client.ts'

/**
 * Settings of every connection. A process that freezes in the middle of a transaction (SIGSTOP, a cut cable) must not
 * keep its row locks: PostgreSQL ends such a session after 6 s, and TCP keepalive detects a dead peer. A worker runs two
 * transactions at a time, and the second may have waited for the first: all locks are released within 12 s.
 */
export function poolConfig(
  databaseUrl: string,
  options: { max: number; applicationName: string; statementTimeoutMs: number },
): pg.PoolConfig {
  return {
    Client: DatabaseClient,
    connectionString: databaseUrl,
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: 3_000,
    statement_timeout: options.statementTimeoutMs,
    // The same limit on this side, for a server that no longer responds at all.
    query_timeout: options.statementTimeoutMs + 1_000,
    idle_in_transaction_session_timeout: 6_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  }
}

/** `onConnectionLost` may be called more than once for one connection. */
export function openPool(config: pg.PoolConfig, onConnectionLost: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool(config)
  // The pool reports only connections that are lost while idle.
  pool.on('error', onConnectionLost)
  pool.on('connect', client => client.on('error', onConnectionLost))
  return pool
}

/**
 * Waits until the database responds and has the tables. After `waitMs` it throws a one-line error: a process that starts
 * without its database is misconfigured, whereas one that loses it later carries on.
 */
export async function waitForDatabase(pool: pg.Pool, waitMs = 10_000): Promise<void> {
  const deadline = performance.now() + waitMs
  for (;;) {
    try {
      const result = await pool.query<{ migrated: boolean }>(
        `SELECT to_regclass('visitor_salts') IS NOT NULL AS migrated`,
      )
      if (result.rows[0]?.migrated) return
      throw new Error('the database lacks tables of this release: run `npm run migrate` first')
    } catch (error) {
      if (performance.now() > deadline)
        throw new Error(`PostgreSQL (DATABASE_URL): ${errorText(error)}`, { cause: error })
      await sleep(500)
    }
  }
}

/** True if PostgreSQL refused the statement for its data (SQLSTATE classes 22 and 23): trying again can't help. */
export function isDataError(error: unknown): boolean {
  const code = error instanceof pg.DatabaseError ? error.code : undefined
  return code !== undefined && (code.startsWith('22') || code.startsWith('23'))
}

// PostgreSQL's bigint is read as a number: link ids and visit counts stay below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, text => Number(text))
// A date stays text (days.ts): a Date would be midnight in this process's time zone.
pg.types.setTypeParser(pg.types.builtins.DATE, text => text)
