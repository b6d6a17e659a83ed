/**
 * An epoch is a history of the database in which nothing that was committed is taken back.
 *
 * A new one begins when an asynchronous standby is promoted, when a backup is restored, and when the data moves to another
 * server. Committed rows may be gone then, and sequences may hand out numbers that were in use before. So what a process
 * remembers of the database (numbers of texts and links, salts, which batches are recorded) holds in one epoch only.
 *
 * The table `database_epoch` notes the epoch together with PostgreSQL's identity. Where they no longer fit together,
 * current_epoch() is NULL, and the first process that notices begins a new epoch.
 */
import type { Pool } from 'pg'
import { inTransaction } from './in-transaction.ts'

export interface DatabaseState {
  /** Undefined: the noted epoch is over (beginEpoch), or this is a standby. */
  epoch: string | undefined
  isStandby: boolean
  /** When the server was started. It may have lost what it had not flushed (synchronous_commit = off). */
  startedAt: string
  /** How far the write-ahead log is flushed, in bytes. It only goes back when the server's files were replaced. */
  flushedBytes: number
}

/**
 * A new epoch passes over this many link ids. Links of the lost seconds have ids that the new sequence does not know of,
 * and their visits may still be on their way: they must not be counted for another link.
 */
const skippedLinkIds = 1_000_000

/** SQL for epoch and start of the server in one text: what a statement compares with what was known before. NULL without an epoch. */
export const incarnationSql = `(SELECT current_epoch() || ' ' || extract(epoch FROM pg_postmaster_start_time()))`

export async function readDatabaseState(pool: Pool): Promise<DatabaseState> {
  const { rows } = await pool.query<{
    epoch: string | null
    is_standby: boolean
    started_at: string
    flushed_bytes: string | null
  }>({
    name: 'database-state',
    text: `SELECT current_epoch() AS epoch, pg_is_in_recovery() AS is_standby,
                  extract(epoch FROM pg_postmaster_start_time())::text AS started_at,
                  CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() - '0/0'::pg_lsn END AS flushed_bytes`,
  })
  const row = rows[0]
  if (row === undefined) throw new Error('the database tells nothing about itself')
  return {
    epoch: row.epoch ?? undefined,
    isStandby: row.is_standby,
    startedAt: row.started_at,
    flushedBytes: Number(row.flushed_bytes ?? 0),
  }
}

/**
 * Begins a new epoch if the noted one is over, or is `lost`: an epoch in which commits turned out to be missing although
 * the identity is the same. Concurrent calls begin one epoch. Returns the epoch that holds now.
 */
export function beginEpoch(pool: Pool, lost = ''): Promise<string> {
  return inTransaction(pool, async client => {
    const { rows } = await client.query<{ epoch: string; is_over: boolean }>({
      name: 'lock-epoch',
      text: `SELECT epoch, identity IS DISTINCT FROM (SELECT database_identity()) AS is_over
             FROM database_epoch FOR UPDATE`,
    })
    const noted = rows[0]
    if (noted !== undefined && !noted.is_over && noted.epoch !== lost) return noted.epoch
    await client.query({
      name: 'skip-link-ids',
      text: `SELECT setval(links_ids, nextval(links_ids) + $1)
             FROM (SELECT pg_get_serial_sequence('links', 'id')::regclass AS links_ids) AS sequence`,
      values: [skippedLinkIds],
    })
    const begun = await client.query<{ epoch: string }>({
      name: 'begin-epoch',
      text: `INSERT INTO database_epoch (identity) VALUES (database_identity())
             ON CONFLICT (only_row) DO UPDATE
               SET epoch = excluded.epoch, identity = excluded.identity, began_at = excluded.began_at
             RETURNING epoch`,
    })
    const epoch = begun.rows[0]?.epoch
    if (epoch === undefined) throw new Error('no epoch was begun')
    return epoch
  })
}
