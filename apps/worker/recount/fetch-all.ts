import type { PoolClient } from 'pg'
import pg from 'pg'

/** The rows of a declared cursor, in chunks. The cursor is closed at its end. */
export async function* fetchAll<Row extends object>(
  client: PoolClient,
  cursor: string,
  rowsPerFetch = 20_000,
): AsyncGenerator<Row[]> {
  const name = pg.escapeIdentifier(cursor)
  for (;;) {
    const { rows } = await client.query<Row>(`FETCH ${rowsPerFetch} FROM ${name}`)
    if (rows.length > 0) yield rows
    if (rows.length < rowsPerFetch) break
  }
  await client.query(`CLOSE ${name}`)
}
