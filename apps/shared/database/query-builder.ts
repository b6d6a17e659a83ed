/** The query builder, apart from the pools: the worker writes its SQL itself, and the builder takes 9 MB of memory. */
import { Kysely, PostgresDialect } from 'kysely'
import type pg from 'pg'
import type { DB } from './database-types.ts'

export type Database = Kysely<DB>

/** The caller ends the pool, never the builder. */
export function databaseOn(pool: pg.Pool): Database {
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) })
}
