import { readdirSync } from 'node:fs'
import type pg from 'pg'

const migrationsDir = new URL('../../../db/migrations/', import.meta.url)
/** SQLSTATE 42P01, undefined_table. */
const noSuchTable = '42P01'

/**
 * Throws if the database lacks migrations of this release, also some in the middle. One that has more is fine: older
 * processes keep working while a release is rolled out.
 */
export async function checkSchema(pool: pg.Pool): Promise<void> {
  const applied = await appliedMigrations(pool)
  const missing = releasedMigrations().filter(version => !applied.has(version))
  if (missing.length === 0) return
  const named = missing.length > 3 ? [...missing.slice(0, 3), '…'] : missing
  throw new Error(
    `the database lacks ${missing.length} migrations of this release (${named.join(', ')}): run \`npm run migrate\` first`,
  )
}

function releasedMigrations(): string[] {
  return readdirSync(migrationsDir)
    .flatMap(name => /^(\d+)_.*\.sql$/.exec(name)?.[1] ?? [])
    .sort()
}

/** As dbmate notes them. */
async function appliedMigrations(pool: pg.Pool): Promise<Set<string>> {
  try {
    const { rows } = await pool.query<{ version: string }>('SELECT version FROM schema_migrations')
    return new Set(rows.map(row => row.version))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === noSuchTable) return new Set()
    throw error
  }
}
