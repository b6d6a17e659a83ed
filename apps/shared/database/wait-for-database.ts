import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { errorText } from '../log.ts'
import { DatabaseClient } from './database-client.ts'

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
      if (!result.rows[0]?.migrated)
        throw new Error('the database lacks tables of this release: run `npm run migrate` first')
      break
    } catch (error) {
      const isPooler = /unsupported startup parameter/.test(errorText(error))
      if (isPooler) throw new Error(`PostgreSQL (DATABASE_URL): ${errorText(error)}; ${poolerAdvice}`)
      if (performance.now() > deadline)
        throw new Error(`PostgreSQL (DATABASE_URL): ${errorText(error)}`, { cause: error })
      await sleep(500)
    }
  }
}

const poolerAdvice =
  'if that is a transaction pooler such as PgBouncer, set DIRECT_DATABASE_URL to the address of PostgreSQL itself'

/**
 * Throws if connections to this address share sessions of PostgreSQL, as those to a transaction pooler do: a pooler gives
 * the session that one connection has just used to the next one.
 *
 * @param name the variable that holds the address
 */
export async function refuseTransactionPooler(databaseUrl: string, name: string): Promise<void> {
  const config = {
    connectionString: databaseUrl,
    application_name: 'hopcount start',
    connectionTimeoutMillis: 3_000,
    query_timeout: 3_000,
  }
  const [first, second] = [new DatabaseClient(config), new DatabaseClient(config)]
  try {
    await first.connect()
    await second.connect()
    for (let attempt = 0; attempt < 5; attempt++) {
      if ((await sessionOf(first)) !== (await sessionOf(second))) continue
      throw new Error(
        `${name} leads to a transaction pooler, through which link changes cannot be heard: ` +
          'set DIRECT_DATABASE_URL to the address of PostgreSQL itself',
      )
    }
  } finally {
    await Promise.all([first.end(), second.end()])
  }
}

async function sessionOf(client: DatabaseClient): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  return rows[0]?.pid
}
