/**
 * CREATE INDEX CONCURRENTLY that was interrupted leaves an invalid index behind: no query uses it, every INSERT pays for
 * it, and the same migration, run again, would take it for done (IF NOT EXISTS). So such indexes are dropped before.
 *
 * Only those of migrations that are not recorded as applied; a session that is still building one goes on until it is
 * done, for example after `npm run migrate` alone was killed.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

const lookAgainAfterMs = 500

export async function dropUnfinishedIndexes(client: pg.Client, migrationsDir: string): Promise<void> {
  const names = await indexesToCreate(client, migrationsDir)
  if (names.length === 0) return
  while (await isBuilding(client, names)) await sleep(lookAgainAfterMs)
  const { rows } = await client.query<{ name: string }>(
    `SELECT oid::regclass AS name FROM pg_class JOIN pg_index ON indexrelid = oid
     WHERE relname = ANY($1::text[]) AND NOT indisvalid AND relnamespace = 'public'::regnamespace`,
    [names],
  )
  for (const { name } of rows) await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`)
}

/** The names of the indexes that the migrations still to come build concurrently. */
async function indexesToCreate(client: pg.Client, migrationsDir: string): Promise<string[]> {
  const { rows: tables } = await client.query<{ exists: boolean }>(
    `SELECT to_regclass('public.schema_migrations') IS NOT NULL AS exists`,
  )
  if (tables[0]?.exists !== true) return []
  const { rows } = await client.query<{ version: string }>('SELECT version FROM public.schema_migrations')
  const applied = new Set(rows.map(({ version }) => version))
  return readdirSync(migrationsDir)
    .filter(file => file.endsWith('.sql') && !applied.has(file.split('_', 1)[0] ?? ''))
    .flatMap(file => {
      const text = readFileSync(join(migrationsDir, file), 'utf8')
      return [...text.matchAll(/CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+)/g)]
    })
    .flatMap(([, name]) => name ?? [])
}

async function isBuilding(client: pg.Client, names: string[]): Promise<boolean> {
  const { rows } = await client.query<{ building: boolean }>(
    `SELECT EXISTS (
       SELECT FROM pg_stat_progress_create_index JOIN pg_class ON oid = index_relid
       WHERE datname = current_database() AND relname = ANY($1::text[])
     ) AS building`,
    [names],
  )
  return rows[0]?.building === true
}
