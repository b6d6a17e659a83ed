import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { errorText } from '../log.ts'
import { checkSchema } from './check-schema.ts'
import { DatabaseClient } from './database-client.ts'

/** The address for what needs a session, and the variable that holds it. */
export interface DirectAddress {
  url: string
  name: 'DATABASE_URL' | 'DIRECT_DATABASE_URL'
}

class Pooler extends Error {}

/**
 * Waits until the database responds and has the tables of this release. After `waitMs` it throws a one-line error: a
 * process that starts without its database is misconfigured, whereas one that loses it later carries on. It throws at once
 * if `direct` leads to a transaction pooler.
 */
export async function waitForDatabase(
  pool: pg.Pool,
  { direct, waitMs = 10_000 }: { direct?: DirectAddress; waitMs?: number } = {},
): Promise<void> {
  const deadline = performance.now() + waitMs
  for (;;) {
    try {
      await checkSchema(pool)
      if (direct !== undefined) await refuseTransactionPooler(direct)
      return
    } catch (error) {
      if (error instanceof Pooler) throw error
      const reason = `PostgreSQL (DATABASE_URL): ${errorText(error)}`
      if (/unsupported startup parameter/.test(reason)) throw new Pooler(`${reason}; ${poolerAdvice}`)
      if (performance.now() > deadline) throw new Error(reason, { cause: error })
      await sleep(500)
    }
  }
}

const poolerAdvice =
  'if that is a transaction pooler such as PgBouncer, set DIRECT_DATABASE_URL to the address of PostgreSQL itself'

/**
 * Throws if connections to this address share sessions of PostgreSQL, as those to a transaction pooler do: a pooler gives
 * the session that one connection has just used to the next one.
 */
async function refuseTransactionPooler({ url, name }: DirectAddress): Promise<void> {
  const config = {
    connectionString: url,
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
      throw new Pooler(
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
