/**
 * The database that a worker's memory belongs to: an epoch of it (database-epoch.ts) and a start of its server. Text numbers
 * and salts that were read before do not hold in another one: a promoted standby may give the same number to another text.
 *
 * So whatever is read to be remembered is read together with the incarnation, and a transaction that uses it compares the
 * incarnation once more before it commits. `DatabaseChanged` means: forget everything, and begin again.
 */
import { beginEpoch, incarnationSql } from '@hopcount/shared/database/database-epoch.ts'
import type { Pool, PoolClient } from 'pg'

export class DatabaseChanged extends Error {}

export interface KnownDatabase {
  incarnation(): string
  /** Throws DatabaseChanged unless what a statement has seen is the database of this incarnation, and is still the known one. */
  expect(incarnation: string, seen: string | null | undefined): void
  /** Reads the incarnation again, and begins an epoch if there is none. */
  read(): Promise<void>
}

export async function openKnownDatabase(pool: Pool): Promise<KnownDatabase> {
  let known = ''

  async function read(): Promise<void> {
    const seen = (await readIncarnation(pool)) ?? (await begin())
    if (seen === null) throw new Error('the database has no epoch; is it a standby?')
    known = seen
  }

  async function begin(): Promise<string | null> {
    await beginEpoch(pool)
    return readIncarnation(pool)
  }

  await read()
  return {
    incarnation: () => known,
    expect(incarnation, seen) {
      if (seen !== incarnation || known !== incarnation)
        throw new DatabaseChanged('the database is not the one that was known')
    },
    read,
  }
}

/** Of the database that this connection leads to; null without an epoch. */
export async function readIncarnation(connection: Pool | PoolClient): Promise<string | null> {
  const { rows } = await connection.query<{ incarnation: string | null }>({
    name: 'read-incarnation',
    text: `SELECT ${incarnationSql} AS incarnation`,
  })
  return rows[0]?.incarnation ?? null
}
