import { randomUUID } from 'node:crypto'
import type { Pool } from 'pg'
import { beforeEach, expect, test } from 'vitest'
import type { Report } from '../../../apps/api/freshness/producer-queries.ts'
import { registerProducer, reportProgress } from '../../../apps/api/freshness/producer-queries.ts'
import { inTransaction } from '../../../apps/shared/database/in-transaction.ts'
import { openPool } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

let pool: Pool

beforeEach(async () => {
  pool = openPool((await createTestDatabase()).url)
})

test('a producer that registers while as-of moves on never starts before it', async () => {
  const producerId = randomUUID()
  let registered: Promise<void> | undefined
  await inTransaction(pool, async client => {
    await client.query('SELECT FROM freshness FOR UPDATE')
    registered = registerProducer(pool, { producerId, host: 'a', spoolId: undefined })
    await waitUntil(async () => (await waiting()) === 1, { what: 'the registration waits' })
    await client.query(`UPDATE freshness SET as_of = clock_timestamp() + interval '10 seconds'`)
  })
  await registered
  const { rows } = await pool.query('SELECT recorded_until >= as_of AS holds FROM producers, freshness')
  expect(rows).toEqual([{ holds: true }])
})

test('the row of a dead producer goes when all it had pending is in the ledger, not before', async () => {
  const [reporter, idle, gone] = [randomUUID(), randomUUID(), randomUUID()]
  for (const producerId of [reporter, idle, gone])
    await registerProducer(pool, { producerId, host: 'a', spoolId: undefined })
  await pool.query('UPDATE producers SET pending = 3, last_seq = 2 WHERE producer_id = $1', [gone])
  await report(reporter, [idle, gone])
  expect(await producers()).toEqual([reporter, gone].toSorted())
  await pool.query('INSERT INTO ledger_watermarks (producer_id, seq, visits) VALUES ($1, 1, 2)', [gone])
  await report(reporter, [gone])
  expect(await producers()).toEqual([reporter, gone].toSorted())
  await pool.query('UPDATE ledger_watermarks SET seq = 2')
  await report(reporter, [gone])
  expect(await producers()).toEqual([reporter])
})

async function report(producerId: string, ended: string[]): Promise<void> {
  const own = { recordedUntil: Date.now(), ageMs: 0, pending: 0, lastSeq: 0 }
  const describe = async (): Promise<Report> => ({ own, adopted: [], ended })
  await reportProgress(pool, { producerId, host: 'a', spoolId: undefined }, describe)
}

async function producers(): Promise<string[]> {
  const { rows } = await pool.query<{ producer_id: string }>(
    'SELECT producer_id FROM producers ORDER BY producer_id',
  )
  return rows.map(row => row.producer_id)
}

/** Sessions of this database that wait for a lock. */
async function waiting(): Promise<number> {
  const { rows } = await pool.query<{ sessions: number }>(
    `SELECT count(*)::integer AS sessions FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  )
  return rows[0]?.sessions ?? 0
}
