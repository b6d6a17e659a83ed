import type { Pool } from 'pg'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { recordedBatches } from '../../apps/shared/visits/recorded-batches.ts'
import { voidBatch } from '../../apps/shared/visits/void-batch.ts'
import { openPool } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'

let pool: Pool
let producerId: string
beforeAll(async () => {
  pool = openPool((await createTestDatabase()).url)
})
beforeEach(() => {
  producerId = newProducerId()
})

async function counted(): Promise<number[]> {
  const { rows } = await pool.query<{ counted: number }>(
    'SELECT counted FROM ledger WHERE producer_id = $1 ORDER BY seq',
    [producerId],
  )
  return rows.map(row => row.counted)
}

test('a void batch is recorded without visits, and may be voided again', async () => {
  expect(await voidBatch(pool, { producerId, seq: 7 })).toBe(true)
  expect(await voidBatch(pool, { producerId, seq: 7 })).toBe(true)
  const { recorded } = await recordedBatches(
    pool,
    [6, 7].map(seq => ({ producerId, seq })),
  )
  expect([...recorded]).toEqual([`${producerId}-7`])
  expect(await counted()).toEqual([0])
})

test('a counted batch is not voided', async () => {
  await pool.query('INSERT INTO ledger (producer_id, seq, counted) VALUES ($1, 7, 16)', [producerId])
  expect(await voidBatch(pool, { producerId, seq: 7 })).toBe(false)
  expect(await counted()).toEqual([16])
})

test('a batch below the watermark is not voided, and leaves no row', async () => {
  await pool.query('INSERT INTO ledger_watermarks (producer_id, seq, visits) VALUES ($1, 7, 99)', [
    producerId,
  ])
  for (const seq of [6, 7]) expect(await voidBatch(pool, { producerId, seq })).toBe(false)
  expect(await counted()).toEqual([])
  expect(await voidBatch(pool, { producerId, seq: 8 })).toBe(true)
})

test('a batch that was set aside is not recorded although the watermark covers it, until it is voided', async () => {
  const batch = { producerId, seq: 7 }
  await pool.query('INSERT INTO ledger_watermarks (producer_id, seq, visits) VALUES ($1, 9, 99)', [
    producerId,
  ])
  await pool.query('INSERT INTO set_aside_batches (producer_id, seq, reason) VALUES ($1, 7, $2)', [
    producerId,
    'a test',
  ])
  const { recorded } = await recordedBatches(
    pool,
    [6, 7, 8].map(seq => ({ producerId, seq })),
  )
  expect([...recorded].sort()).toEqual([`${producerId}-6`, `${producerId}-8`])
  expect(await voidBatch(pool, batch)).toBe(true)
  expect((await recordedBatches(pool, [batch])).recorded.size).toBe(1)
  expect((await pool.query('SELECT FROM set_aside_batches')).rowCount).toBe(0)
})
