/**
 * Dropping day partitions without holding anybody up: DROP needs the table for itself, and whoever comes after it
 * waits behind it. So it waits less than a second for those that are there, and otherwise leaves it to the next run.
 * That is also less than `deadlock_timeout`: nobody is ever told of a deadlock because of a drop.
 */
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import { dayText, parseDay } from '@hopcount/shared/days.ts'
import type { Pool, PoolClient } from 'pg'
import pg from 'pg'

const lockTimeout = '800ms'
const lockNotAvailable = '55P03'

export type PartitionedByDay = 'visits' | 'visitors' | 'link_minutes'

/** Days (UTC, since 1970) before `beforeDay` that have a partition, oldest first. */
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
 * Drops the partition of a day, and does `before` in the same transaction. False where others were using the table:
 * then nothing has happened. Another worker may have dropped it already.
 */
export async function dropPartition(
  pool: Pool,
  table: PartitionedByDay,
  day: number,
  before: (client: PoolClient) => Promise<unknown> = async () => {},
): Promise<boolean> {
  const name = `${table}_${dayText(day).replaceAll('-', '')}`
  const drop = async (client: PoolClient) => {
    await before(client)
    await client.query(`DROP TABLE IF EXISTS ${pg.escapeIdentifier(name)}`)
  }
  try {
    await inTransaction(pool, drop, `BEGIN; SET LOCAL lock_timeout = '${lockTimeout}'`)
    return true
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === lockNotAvailable) return false
    throw error
  }
}

/** Drops the partitions of the days before `beforeDay`, until one is in use; returns how many went. */
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

/** Deletes what `statement` finds before a day ($1), at most $2 rows at a time: rows that lie in a DEFAULT partition. */
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
