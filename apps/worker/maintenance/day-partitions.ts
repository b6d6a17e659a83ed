/**
 * Drops day partitions without blocking others: DROP needs an exclusive lock, and all later queries wait behind it. So it
 * waits less than a second for the lock, and otherwise leaves the partition to the next run. That is also shorter than
 * `deadlock_timeout`, so a drop never causes a deadlock error.
 */
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import { dayText, parseDay, partitionName } from '@hopcount/shared/days.ts'
import type { Pool, PoolClient } from 'pg'
import pg from 'pg'

const lockTimeout = '800ms'
const lockNotAvailable = '55P03'

export type PartitionedByDay = 'visits' | 'visitors' | 'link_minutes'

/** The days before `beforeDay` that have a partition, oldest first. */
export async function partitionDays(
  pool: Pool,
  table: PartitionedByDay,
  beforeDay: number,
): Promise<number[]> {
  const { rows } = await pool.query<{ day: string }>({
    name: 'partition-days',
    text: `SELECT day FROM (
             SELECT to_date(right(child.relname, 8), 'YYYYMMDD') AS day
             FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
             WHERE inhparent = $1::regclass AND child.relname ~ '_[0-9]{8}$'
           ) AS partition
           WHERE day < $2::date ORDER BY day`,
    values: [table, dayText(beforeDay)],
  })
  return rows.map(row => parseDay(row.day))
}

/**
 * Drops the partition of a day, after running `before` in the same transaction. Returns false, with nothing changed, if the
 * table was in use. It is no error if another worker has already dropped it.
 */
export async function dropPartition(
  pool: Pool,
  table: PartitionedByDay,
  day: number,
  before: (client: PoolClient) => Promise<unknown> = async () => {},
): Promise<boolean> {
  const drop = async (client: PoolClient) => {
    await before(client)
    await client.query(`DROP TABLE IF EXISTS ${pg.escapeIdentifier(partitionName(table, day))}`)
  }
  try {
    await inTransaction(pool, drop, { first: `SET LOCAL lock_timeout = '${lockTimeout}'` })
    return true
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === lockNotAvailable) return false
    throw error
  }
}

/** Drops the partitions of the days before `beforeDay`, and stops at one that is in use. Returns the number dropped. */
export async function dropPartitionsBefore(
  pool: Pool,
  table: PartitionedByDay,
  beforeDay: number,
): Promise<number> {
  let dropped = 0
  for (const day of await partitionDays(pool, table, beforeDay)) {
    if (!(await dropPartition(pool, table, day))) break
    dropped++
  }
  return dropped
}

const rowsPerDelete = 10_000

/** Repeats a DELETE of rows before a day ($1), at most $2 at a time. For rows in a DEFAULT partition. */
export async function deleteBefore(
  pool: Pool,
  statement: { name: string; text: string },
  beforeDay: number,
): Promise<void> {
  for (let deleted = rowsPerDelete; deleted === rowsPerDelete; ) {
    const result = await pool.query({ ...statement, values: [dayText(beforeDay), rowsPerDelete] })
    deleted = result.rowCount ?? 0
  }
}
