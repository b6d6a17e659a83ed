import type { Pool } from 'pg'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { recordedBatches, voidBatch } from '../../../apps/api/visits/ledger-queries.ts'
import { newProducerId } from '../../../apps/api/visits/producer-folder.ts'
import { openPool } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'

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
  expect(await recordedBatches(pool, [{ producerId, seq: 7 }])).toHaveProperty('size', 1)
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
