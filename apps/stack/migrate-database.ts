/**
 * Brings a database to the newest schema: dbmate's migrations, the day partitions of the next days, and BullMQ's
 * tables where PostgreSQL carries the queue. Safe to repeat and to run from several hosts at once: they take turns.
 */
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { migrateQueue } from '@hopcount/shared/visits/visit-queue.ts'
import { resolveBinary } from 'dbmate'
import pg from 'pg'

/** The message is one line without a password. */
export class MigrationFailed extends Error {}

export interface MigrationOptions {
  databaseUrl: string
  /** Where it is undefined, the queue's tables are made in the database. */
  redisUrl: string | undefined
  /** How long a server that can't be reached is waited for. */
  waitMs?: number
}

const migrationsDir = fileURLToPath(new URL('../../db/migrations', import.meta.url))
const partitionDaysAhead = 8

export async function migrateDatabase(options: MigrationOptions): Promise<void> {
  try {
    const client = await connect(options.databaseUrl, options.waitMs ?? 30_000)
    try {
      // Held until the session ends: dbmate itself has no lock against a second dbmate.
      await client.query(`SELECT pg_advisory_lock(hashtext('hopcount:migrate'))`)
      await runDbmate('migrate', options.databaseUrl)
      await client.query(`SELECT ensure_visit_partitions((now() AT TIME ZONE 'UTC')::date - 1, $1)`, [
        partitionDaysAhead + 1,
      ])
      if (options.redisUrl === undefined) await migrateQueue(options.databaseUrl)
    } finally {
      await client.end()
    }
  } catch (error) {
    throw new MigrationFailed(withoutPassword(reasonOf(error), options.databaseUrl), { cause: error })
  }
}

/** A session on the database, which is created where the server doesn't have it. */
async function connect(databaseUrl: string, waitMs: number): Promise<pg.Client> {
  const deadline = Date.now() + waitMs
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
      else if (refusedForGood(code) || Date.now() > deadline)
        throw new Error(`PostgreSQL on ${hostOf(databaseUrl)}: ${reasonOf(error)}`)
      else await sleep(250)
    }
  }
}

async function createDatabase(databaseUrl: string): Promise<void> {
  try {
    await runDbmate('create', databaseUrl)
  } catch (error) {
    // Somebody else created it in the same moment (duplicate_database, or its unique key).
    if (!/\((42P04|23505)\)/.test(reasonOf(error))) throw error
  }
}

/** SQLSTATE 3D000, invalid_catalog_name. */
const databaseMissing = '3D000'

/** Waiting helps against servers that are not there yet (ECONNREFUSED, 57P03), not against a wrong password (class 28). */
function refusedForGood(code: string): boolean {
  return code.startsWith('28') || code.startsWith('42')
}

async function runDbmate(command: 'create' | 'migrate', databaseUrl: string): Promise<void> {
  const args = ['--migrations-dir', migrationsDir, '--no-dump-schema', command]
  try {
    await promisify(execFile)(resolveBinary(), args, {
      // In the environment, because other users of this machine can read arguments.
      env: { ...process.env, DATABASE_URL: dbmateUrl(databaseUrl) },
    })
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
    throw new Error(`dbmate ${command}: ${lastLine(output) ?? reasonOf(error)}`, { cause: error })
  }
}

/**
 * The same server, reached the same way: node-postgres speaks plain text unless the URL or PGSSLMODE says otherwise,
 * dbmate's driver insists on TLS then; and the modes that only node-postgres knows get the driver's nearest name.
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
