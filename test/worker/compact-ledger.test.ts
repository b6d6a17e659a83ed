import type { Pool } from 'pg'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { compactLedger } from '../../apps/worker/maintenance/compact-ledger.ts'
import { openPool } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'

let pool: Pool

beforeAll(async () => {
  pool = openPool((await createTestDatabase()).url)
})

beforeEach(() => pool.query('TRUNCATE ledger, ledger_watermarks, set_aside_batches'))

const producer = (n: number) => `019aab7c-0000-7000-8000-${String(n).padStart(12, '0')}`

/** Rows of the producers from `first` to `last`, one visit each, from one sequence number to another. */
function enter(first: number, last: number, from: number, to: number) {
  return pool.query(
    `INSERT INTO ledger (producer_id, seq, counted)
     SELECT ('019aab7c-0000-7000-8000-' || lpad(p::text, 12, '0'))::uuid, seq, 1
     FROM generate_series($1::integer, $2::integer) AS p, generate_series($3::integer, $4::integer) AS seq`,
    [first, last, from, to],
  )
}

test('rows behind a gap are not read: the cost depends on what is new', async () => {
  await enter(1, 40, 2, 1_000)
  await enter(41, 60, 1, 50)
  await pool.query('VACUUM ANALYZE ledger')
  const before = await rowsRead()
  expect(await compactLedger(pool)).toBe(20 * 50)
  const read = (await rowsRead()) - before
  expect(read).toBeGreaterThanOrEqual(20 * 50)
  expect(read).toBeLessThan(5_000)
  expect(await compactLedger(pool)).toBe(0)

  await enter(1, 40, 1, 1)
  expect(await compactLedger(pool)).toBe(40 * 1_000)
  const left = await pool.query('SELECT count(*)::int AS rows FROM ledger')
  expect(left.rows).toEqual([{ rows: 0 }])
  const marks = await pool.query(
    'SELECT seq::int, visits::int, count(*)::int AS producers FROM ledger_watermarks GROUP BY 1, 2 ORDER BY 1',
  )
  expect(marks.rows).toEqual([
    { seq: 50, visits: 50, producers: 20 },
    { seq: 1_000, visits: 1_000, producers: 40 },
  ])
})

test('a limited compaction goes on where it stopped, and no visit is summed twice', async () => {
  await enter(1, 3, 1, 100)
  await enter(2, 2, 102, 110)
  let removed = 0
  for (let rows = 1; rows > 0; removed += rows) rows = await compactLedger(pool, { maxRows: 70 })
  expect(removed).toBe(300)
  const marks = await pool.query(
    'SELECT producer_id, seq::int, visits::int FROM ledger_watermarks ORDER BY 1',
  )
  expect(marks.rows).toEqual([1, 2, 3].map(n => ({ producer_id: producer(n), seq: 100, visits: 100 })))
})

/** Rows of the ledger and entries of its index that statements have read so far. */
async function rowsRead(): Promise<number> {
  await Promise.all(
    Array.from({ length: 4 }, () => pool.query('SELECT pg_stat_force_next_flush(), pg_sleep(0.1)')),
  )
  const { rows } = await pool.query<{ read: number }>(
    `SELECT (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'ledger')
          + (SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'ledger_pkey') AS read`,
  )
  return rows[0]?.read ?? 0
}
