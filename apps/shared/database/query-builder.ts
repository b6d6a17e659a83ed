/** The query builder, apart from the pools: a worker writes its statements itself, and the builder takes 9 MB of a process. */
import { Kysely, PostgresDialect } from 'kysely'
import type pg from 'pg'
import type { DB } from './database-types.ts'

export type Database = Kysely<DB>

/** The caller ends the pool, never the builder. */
export function databaseOn(pool: pg.Pool): Database {
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) })
}
