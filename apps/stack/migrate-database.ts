/**
 * Brings a database to the newest schema: dbmate's migrations, partitions for the next days, and BullMQ's tables if the
 * queue is in PostgreSQL. Safe to repeat, and to run on several hosts at once: a lock serializes the runs.
 */
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { migrateQueueTables } from '@hopcount/shared/visits/queue-in-postgres.ts'
import { resolveBinary } from 'dbmate'
import pg from 'pg'
import { dropUnfinishedIndexes } from './drop-unfinished-indexes.ts'
import { warnOfApiSlugs } from './warn-of-api-slugs.ts'

/** The message is one line without a password. */
export class MigrationFailed extends Error {}

export interface MigrationOptions {
  databaseUrl: string
  /** If undefined, the queue's tables are created in the database. */
  redisUrl: string | undefined
  /** How long to wait for an unreachable server. */
  waitMs?: number
  /** Called with each line that the operator should read. */
  warn?: (line: string) => void
}

const migrationsDir = fileURLToPath(new URL('../../db/migrations', import.meta.url))
const partitionDaysAhead = 8

export async function migrateDatabase(options: MigrationOptions): Promise<void> {
  try {
    const client = await connect(options.databaseUrl, options.waitMs ?? 30_000)
    try {
      // Held until the session ends: dbmate has no lock of its own against a second dbmate.
      await client.query(`SELECT pg_advisory_lock(hashtext('hopcount:migrate'))`)
      await warnOfApiSlugs(client, options.warn ?? (() => {}))
      await migrateSchema(client, options.databaseUrl)
      await client.query(`SELECT ensure_visit_partitions((now() AT TIME ZONE 'UTC')::date - 1, $1)`, [
        partitionDaysAhead + 1,
      ])
      if (options.redisUrl === undefined) await migrateQueueTables(options.databaseUrl)
    } finally {
      await client.end()
    }
  } catch (error) {
    throw new MigrationFailed(withoutPassword(reasonOf(error), options.databaseUrl), { cause: error })
  }
}

/**
 * A migration waits less than a second for a lock, because everybody else waits behind it. If a long query has the table,
 * it is repeated after a pause in which they go on.
 */
async function migrateSchema(client: pg.Client, databaseUrl: string): Promise<void> {
  for (const deadline = performance.now() + lockDeadlineMs; ; await sleep(lockPauseMs)) {
    try {
      await dropUnfinishedIndexes(client, migrationsDir)
      await runDbmate('migrate', databaseUrl)
      return
    } catch (error) {
      if (!reasonOf(error).includes('lock timeout') || performance.now() > deadline) throw error
    }
  }
}

const lockPauseMs = 2_000
const lockDeadlineMs = 10 * 60_000

/** A session on the database, which is created if it doesn't exist. */
async function connect(databaseUrl: string, waitMs: number): Promise<pg.Client> {
  const deadline = performance.now() + waitMs
  for (;;) {
    const client = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'hopcount migrate',
      connectionTimeoutMillis: 3_000,
      keepAlive: true,
    })
    client.on('error', () => {})
    try {
      await client.connect()
      return client
    } catch (error) {
      await client.end().catch(() => {})
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (code === databaseMissing) await createDatabase(databaseUrl)
      else if (refusedForGood(code) || performance.now() > deadline)
        throw new Error(`PostgreSQL on ${hostOf(databaseUrl)}: ${reasonOf(error)}`)
      else await sleep(250)
    }
  }
}

async function createDatabase(databaseUrl: string): Promise<void> {
  try {
    await runDbmate('create', databaseUrl)
  } catch (error) {
    // Another process created it at the same moment (duplicate_database, or its unique key).
    if (!/\((42P04|23505)\)/.test(reasonOf(error))) throw error
  }
}

/** SQLSTATE 3D000, invalid_catalog_name. */
const databaseMissing = '3D000'

/** Waiting helps if a server is not up yet (ECONNREFUSED, 57P03), but not against a wrong password (class 28). */
function refusedForGood(code: string): boolean {
  return code.startsWith('28') || code.startsWith('42')
}

async function runDbmate(command: 'create' | 'migrate', databaseUrl: string): Promise<void> {
  const args = ['--migrations-dir', migrationsDir, '--no-dump-schema', command]
  try {
    await promisify(execFile)(resolveBinary(), args, {
      // In the environment, because other users of the machine can read arguments.
      env: { ...process.env, DATABASE_URL: dbmateUrl(databaseUrl) },
    })
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
    throw new Error(`dbmate ${command}: ${lastLine(output) ?? reasonOf(error)}`, { cause: error })
  }
}

/**
 * The same server with the same TLS settings: by default node-postgres uses plain text, whereas dbmate's driver requires
 * TLS. Modes that only node-postgres knows are mapped to the driver's closest one.
 */
function dbmateUrl(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  const mode = url.searchParams.get('sslmode') ?? process.env.PGSSLMODE ?? sslFlag(url) ?? 'disable'
  url.searchParams.delete('ssl')
  url.searchParams.delete('uselibpqcompat')
  url.searchParams.set(
    'sslmode',
    mode === 'no-verify' || mode === 'prefer' || mode === 'allow' ? 'require' : mode,
  )
  return url.href
}

function sslFlag(url: URL): string | undefined {
  const ssl = url.searchParams.get('ssl')
  return ssl === 'true' || ssl === '1' ? 'verify-full' : undefined
}

function hostOf(databaseUrl: string): string {
  return new URL(databaseUrl).host || 'its socket'
}

function lastLine(text: string): string | undefined {
  return text
    .trim()
    .split('\n')
    .findLast(line => line.trim() !== '')
}

/** One line; an AggregateError (every address of a host refused) has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ')
}

function withoutPassword(text: string, databaseUrl: string): string {
  const { password } = new URL(databaseUrl)
  if (password === '') return text
  return text.replaceAll(password, '***').replaceAll(decodeURIComponent(password), '***')
}
