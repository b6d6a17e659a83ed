import type { Database } from '@hopcount/shared/database.ts'
import type { DB } from '@hopcount/shared/database-types.ts'
import type { RawBuilder } from 'kysely'
import { Kysely, PostgresDialect } from 'kysely'
import type { Pool } from 'pg'
import Cursor from 'pg-cursor'

/** A database whose answers can also be read piece by piece. The caller ends the pool. */
export function streamingDatabaseOn(pool: Pool): Database {
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool, cursor: Cursor }) })
}

/** The rows of a query, so many at a time; whoever stops reading closes the cursor. */
export async function* readInPieces<Row>(
  database: Database,
  query: RawBuilder<Row>,
  rowsAtATime: number,
): AsyncGenerator<Row[]> {
  const pieces = database.getExecutor().stream<Row>(query.compile(database), rowsAtATime)
  for await (const { rows } of pieces) yield rows
}
