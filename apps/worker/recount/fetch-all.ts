import type { PoolClient } from 'pg'
import pg from 'pg'

const rowsPerFetch = 20_000

/** The rows of a cursor that has been declared, some at a time; it is closed when the caller has had enough of them. */
export async function* fetchAll<Row extends object>(
  client: PoolClient,
  cursor: string,
): AsyncGenerator<Row[]> {
  const name = pg.escapeIdentifier(cursor)
  for (;;) {
    const { rows } = await client.query<Row>(`FETCH ${rowsPerFetch} FROM ${name}`)
    if (rows.length > 0) yield rows
    if (rows.length < rowsPerFetch) break
  }
  await client.query(`CLOSE ${name}`)
}
