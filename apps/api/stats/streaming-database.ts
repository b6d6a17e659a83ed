/**
 * A database whose answers can also be read piece by piece.
 *
 * pg-cursor forgets an error that arrives while nobody is reading (a statement's timeout, a lost connection): the next
 * read finds the end, and half an answer would look whole. And its close() waits for a server that may be gone.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DB } from '@hopcount/shared/database/database-types.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import type { RawBuilder } from 'kysely'
import { Kysely, PostgresDialect } from 'kysely'
import type { Pool } from 'pg'
import PgCursor from 'pg-cursor'

const closeWithinMs = 5_000

class Cursor<Row> extends PgCursor<Row> {
  #failure: Error | undefined

  constructor(text: string, values: unknown[]) {
    super(text, values)
    this.on('error', error => {
      this.#failure = error
    })
  }

  override async read(rows: number): Promise<Row[]> {
    const read = await super.read(rows)
    if (this.#failure !== undefined) throw this.#failure
    return read
  }

  override async close(): Promise<void> {
    // The server has closed what failed; the connection takes its next query when it says that it is ready.
    if (this.#failure === undefined)
      await Promise.race([super.close(), sleep(closeWithinMs, undefined, { ref: false })])
  }
}

/** The caller ends the pool. */
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
