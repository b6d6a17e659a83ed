/**
 * A database whose results can also be read in chunks.
 *
 * pg-cursor drops an error that arrives between reads (a statement timeout, a lost connection): the next read reports
 * the end, and a partial result would look complete. And its close() waits for a server that may be gone.
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
    // The server has closed a failed cursor itself; the connection takes its next query once it is ready.
    if (this.#failure === undefined)
      await Promise.race([super.close(), sleep(closeWithinMs, undefined, { ref: false })])
  }
}

/** The caller ends the pool. */
export function streamingDatabaseOn(pool: Pool): Database {
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool, cursor: Cursor }) })
}

/** The rows of a query in chunks; the cursor is closed when the caller stops iterating. */
export async function* readInChunks<Row>(
  database: Database,
  query: RawBuilder<Row>,
  chunkRows: number,
): AsyncGenerator<Row[]> {
  const chunks = database.getExecutor().stream<Row>(query.compile(database), chunkRows)
  for await (const { rows } of chunks) yield rows
}
