/**
 * The database decides which key encrypts its queue: it stores the fingerprint of the current one. The first process to
 * start on a database without one writes that of its own key; the unique index lets only one win. From then on a process
 * with another key, or with none, does not start: it would encrypt visits that nobody else can read.
 */
import type { Pool } from 'pg'
import { inTransaction } from '../database/in-transaction.ts'
import type { QueueKey } from './queue-key.ts'
import { createQueueKey, readQueueKey, retireQueueKey } from './queue-key.ts'

/** This process must not use the queue. The message is one line for the operator. */
export class WrongQueueKey extends Error {}

/** The key in `spoolDir`, which is created only if the database knows of none. Throws WrongQueueKey. */
export async function claimQueueKey(pool: Pool, spoolDir: string): Promise<QueueKey> {
  const known = await currentFingerprint(pool)
  const key = readQueueKey(spoolDir) ?? (known === undefined ? createQueueKey(spoolDir) : undefined)
  const current = known ?? (key && (await claim(pool, key)))
  if (key !== undefined && key.fingerprint === current) return key
  const found = key === undefined ? 'has no queue.key' : `has queue key ${key.fingerprint}`
  throw new WrongQueueKey(
    `${spoolDir} (SPOOL_DIR) ${found}, but the queue in this database is encrypted with key ${current}: ` +
      'set SPOOL_DIR to the folder that has that key, or copy its queue.key here; ' +
      'if that key is lost, run `npm run queue rotate-key`',
  )
}

/**
 * Replaces the current key, whether this folder has it or not. What is encrypted with a replaced key can be read as long
 * as the folder keeps its file; processes use the new key from their next start on.
 */
export async function rotateQueueKey(
  pool: Pool,
  spoolDir: string,
): Promise<{ replaced: string | undefined; current: string; isReplacedKept: boolean }> {
  const previous = readQueueKey(spoolDir)
  if (previous !== undefined) retireQueueKey(spoolDir, previous)
  const { fingerprint } = createQueueKey(spoolDir)
  const replaced = await inTransaction(pool, async client => {
    const { rows } = await client.query<{ fingerprint: string }>(
      'UPDATE queue_keys SET replaced_at = now() WHERE replaced_at IS NULL RETURNING fingerprint',
    )
    await client.query('INSERT INTO queue_keys (fingerprint) VALUES ($1)', [fingerprint])
    return rows[0]?.fingerprint
  })
  return { replaced, current: fingerprint, isReplacedKept: replaced === previous?.fingerprint }
}

async function currentFingerprint(pool: Pool): Promise<string | undefined> {
  const { rows } = await pool.query<{ fingerprint: string }>(
    'SELECT fingerprint FROM queue_keys WHERE replaced_at IS NULL',
  )
  return rows[0]?.fingerprint
}

/** Returns the fingerprint that won. */
async function claim(pool: Pool, { fingerprint }: QueueKey): Promise<string | undefined> {
  await pool.query('INSERT INTO queue_keys (fingerprint) VALUES ($1) ON CONFLICT DO NOTHING', [fingerprint])
  return currentFingerprint(pool)
}
