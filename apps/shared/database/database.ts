import pg from 'pg'
import { DatabaseClient, PoolerClient } from './database-client.ts'
import { withSerializationRetries } from './serialization-retries.ts'

export interface ConnectionOptions {
  max: number
  applicationName: string
  statementTimeoutMs: number
  /** The URL leads to a transaction pooler (DIRECT_DATABASE_URL is set). */
  pooled?: boolean
}

/** PostgreSQL ends a session that stays idle in a transaction for longer. */
const idleInTransactionMs = 6_000

/**
 * Settings of every connection. A process that freezes in the middle of a transaction (SIGSTOP, a cut cable) must not
 * keep its row locks: PostgreSQL ends such a session after 6 s, and TCP keepalive detects a dead peer. A worker runs two
 * transactions at a time, and the second may have waited for the first: all locks are released within 12 s.
 *
 * READ COMMITTED is set for the session because single statements, too, wait for each other, and would fail under the
 * other levels where they only have to look again.
 */
export function poolConfig(databaseUrl: string, options: ConnectionOptions): pg.PoolConfig {
  const { max, applicationName, statementTimeoutMs, pooled = false } = options
  const shared = {
    max,
    application_name: applicationName,
    connectionTimeoutMillis: 3_000,
    // The same limit on this side, for a server that no longer responds at all.
    query_timeout: statementTimeoutMs + 1_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  }
  if (pooled) {
    const transactionSettings = `SET LOCAL statement_timeout = ${statementTimeoutMs}; SET LOCAL idle_in_transaction_session_timeout = ${idleInTransactionMs};`
    return { ...shared, ...poolerClient, connectionString: databaseUrl, ...{ transactionSettings } }
  }
  return {
    ...shared,
    ...directConnection(databaseUrl),
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
  }
}

/** The pool constructs its clients with its own configuration, which its types do not say. */
const poolerClient = { Client: PoolerClient as unknown as new () => pg.ClientBase }

/**
 * A connection to PostgreSQL itself with these settings of the session, `name=value` each, besides those of the URL.
 * They are start-up parameters, which transaction poolers refuse.
 */
export function directConnection(
  databaseUrl: string,
  settings: string[] = [],
): { Client: typeof DatabaseClient; connectionString: string } {
  const url = new URL(databaseUrl)
  const options = ['default_transaction_isolation=read\\ committed', ...settings].map(text => `-c ${text}`)
  // node-postgres lets the URL's options replace those beside it.
  url.searchParams.set('options', [url.searchParams.get('options') ?? '', ...options].join(' ').trim())
  return { Client: DatabaseClient, connectionString: url.href }
}

/** `onConnectionLost` may be called more than once for one connection. */
export function openPool(config: pg.PoolConfig, onConnectionLost: (error: Error) => void): pg.Pool {
  const pool = withSerializationRetries(new pg.Pool(config))
  // The pool reports only connections that are lost while idle.
  pool.on('error', onConnectionLost)
  pool.on('connect', client => client.on('error', onConnectionLost))
  return pool
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
