/**
 * Runs a migration and says what in it would stop a database in use (db/README.md, "Changing the schema"): a strong lock
 * on a table that exists already without a bound on the wait for it, and work under it that grows with the table. It looks
 * at what PostgreSQL has done, so it does not matter how a statement is written.
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Pool, PoolClient } from 'pg'

/** Tables whose rows a migration may read and write: they stay small. */
const smallTables = ['retention', 'visitor_salts', 'queue_keys', 'set_aside_batches']
/** Everybody waits behind a statement that waits for such a lock. */
const strongLocks = ['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock']
/** Less than deadlock_timeout, so that a migration never makes PostgreSQL report a deadlock. */
const longestLockTimeoutMs = 800

export interface Migration {
  name: string
  /** The statements after `-- migrate:up`. */
  up: string
  /** With `transaction:false`, for CONCURRENTLY. */
  inTransaction: boolean
}

export function readMigration(file: string): Migration {
  return parseMigration(basename(file), readFileSync(file, 'utf8'))
}

export function parseMigration(name: string, text: string): Migration {
  const [, options = '', up = ''] =
    /^-- migrate:up(.*)\n([\s\S]*?)(?:^-- migrate:down|$(?![\s\S]))/m.exec(text) ?? []
  if (up.trim() === '') throw new Error(`${name} has no statements after -- migrate:up`)
  return { name, up, inTransaction: !options.includes('transaction:false') }
}

/** Applies the migration, and returns a sentence per problem. */
export async function inspectMigration(pool: Pool, { up, inTransaction }: Migration): Promise<string[]> {
  const client = await pool.connect()
  try {
    await client.query('SET lock_timeout = 0')
    const before = await readCatalog(client)
    if (!inTransaction) return await inspectConcurrent(client, up, before)
    await client.query('BEGIN')
    try {
      const touchedBefore = await rowsTouched(client)
      await client.query(up)
      const problems = await findProblems(client, before, touchedBefore)
      await client.query('COMMIT')
      return problems
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    }
  } finally {
    client.release(true)
  }
}

/** dbmate sends the file as one query, and several statements in one query are a transaction. */
async function inspectConcurrent(client: PoolClient, up: string, before: Catalog): Promise<string[]> {
  const statements = up
    .replaceAll(/--.*$/gm, '')
    .split(';')
    .filter(statement => statement.trim() !== '')
  if (statements.length > 1 || !/\bCONCURRENTLY\b/i.test(up))
    return ['transaction:false is for one statement with CONCURRENTLY']
  await client.query(up)
  return changedRelations(before, await readCatalog(client))
}

interface Catalog {
  /** By name, tables and indexes: the file that holds the relation. */
  files: Map<string, string>
  /** Of tables: `table.column type`. */
  columns: string[]
}

async function readCatalog(client: PoolClient): Promise<Catalog> {
  const files = await client.query<{ name: string; file: string }>(
    `SELECT oid::regclass::text AS name, pg_relation_filenode(oid)::text AS file FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'i', 'I')`,
  )
  const columns = await client.query<{ name: string }>(
    `SELECT attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) AS name
     FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped`,
  )
  return {
    files: new Map(files.rows.map(row => [row.name, row.file])),
    columns: columns.rows.map(row => row.name),
  }
}

async function findProblems(
  client: PoolClient,
  before: Catalog,
  touchedBefore: Touched[],
): Promise<string[]> {
  // Read first: looking at the catalog locks nothing of ours.
  const [timeout, strong, touched] = [
    await lockTimeoutMs(client),
    await locksHeld(client),
    await rowsTouched(client),
  ]
  const problems = changedRelations(before, await readCatalog(client))
  for (const { table, mode } of strong) {
    if (!before.files.has(table)) continue
    if (timeout === 0 || timeout > longestLockTimeoutMs)
      problems.push(
        `${table} is locked (${mode}) without a lock_timeout of at most ${longestLockTimeoutMs} ms`,
      )
  }
  for (const { table, reads, writes } of touched) {
    const earlier = touchedBefore.find(row => row.table === table) ?? { reads: 0, writes: 0 }
    const what = writes > earlier.writes ? 'written' : reads > earlier.reads ? 'read' : undefined
    if (before.files.has(table) && what !== undefined)
      problems.push(`rows of ${table} are ${what}: backfill them from a worker`)
  }
  return problems
}

function changedRelations(before: Catalog, after: Catalog): string[] {
  const problems: string[] = []
  for (const [name, file] of before.files) {
    if (!after.files.has(name)) problems.push(`${name} is dropped or renamed: the previous release needs it`)
    else if (after.files.get(name) !== file) problems.push(`${name} is rewritten`)
  }
  const columns = new Set(after.columns)
  for (const column of before.columns)
    if (!columns.has(column)) problems.push(`${column} is dropped or changed: the previous release needs it`)
  return problems
}

/** Whatever the migration itself has set, `SET LOCAL` included. */
async function lockTimeoutMs(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ ms: number }>(
    `SELECT setting::integer AS ms FROM pg_settings WHERE name = 'lock_timeout'`,
  )
  return rows[0]?.ms ?? 0
}

async function locksHeld(client: PoolClient): Promise<{ table: string; mode: string }[]> {
  const { rows } = await client.query<{ table: string; mode: string }>(
    `SELECT relation::regclass::text AS table, mode FROM pg_locks
     WHERE pid = pg_backend_pid() AND locktype = 'relation' AND mode = ANY ($1)`,
    [strongLocks],
  )
  return rows
}

interface Touched {
  table: string
  reads: number
  writes: number
}

/** By this session, of earlier transactions what is not reported yet. Scans count even if the table is empty. */
async function rowsTouched(client: PoolClient): Promise<Touched[]> {
  const { rows } = await client.query<Touched>(
    `SELECT relid::regclass::text AS table, coalesce(seq_scan, 0) + coalesce(idx_scan, 0) AS reads,
            n_tup_ins + n_tup_upd + n_tup_del AS writes
     FROM pg_stat_xact_user_tables WHERE schemaname = 'public' AND relname <> ALL ($1)`,
    [smallTables],
  )
  return rows
}
