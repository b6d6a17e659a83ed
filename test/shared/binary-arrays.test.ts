import type { Pool } from 'pg'
import { beforeAll, expect, test } from 'vitest'
import {
  bigintArray,
  dateArray,
  integerArray,
  textArray,
  timestampArray,
  wordsArray,
} from '../../apps/shared/database/binary-arrays.ts'
import { dayText } from '../../apps/shared/days.ts'
import { openPool } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'

let pool: Pool
beforeAll(async () => {
  pool = openPool((await createTestDatabase()).url)
})

/** What PostgreSQL reads, as text. */
async function read(type: string, array: Buffer): Promise<(string | null)[]> {
  const { rows } = await pool.query<{ value: string | null }>(
    `SELECT value::text FROM unnest($1::${type}[]) WITH ORDINALITY AS element (value, place) ORDER BY place`,
    [array],
  )
  return rows.map(row => row.value)
}

test('PostgreSQL reads the written numbers, from the smallest to the largest', async () => {
  const integers = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]
  const wide = [2 ** 31, -(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), 1_764_000_000_123]
  const bigints = [...integers, ...wide, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
  expect(await read('integer', integerArray(integers))).toEqual(integers.map(String))
  expect(await read('bigint', bigintArray(bigints))).toEqual(bigints.map(String))
  expect(await read('integer', integerArray([null, 7, null]))).toEqual([null, '7', null])
})

test('two words are the bits of a number', async () => {
  const words = [0, 1, -1, -1, -(2 ** 31), 0, 0x01fe0000, 0, 0, -1]
  expect(await read('bigint', wordsArray(words))).toEqual([
    '1',
    '-1',
    '-9223372036854775808',
    (0x01fen << 48n).toString(),
    (2n ** 32n - 1n).toString(),
  ])
})

test('timestamps keep their milliseconds, before and after 2000', async () => {
  const moments = ['1969-12-31T23:59:59.999Z', '1999-12-31T23:59:59.999Z', '2000-01-01T00:00:00.000Z']
  const later = ['2026-11-23T04:05:06.789Z', '2100-02-28T12:00:00.001Z']
  const written = timestampArray([...moments, ...later].map(Date.parse))
  const { rows } = await pool.query<{ moment: Date }>('SELECT unnest($1::timestamptz[]) AS moment', [written])
  expect(rows.map(row => row.moment.toISOString())).toEqual([...moments, ...later])
})

test('dates match day numbers, before and after 2000', async () => {
  const days = [-1, 0, 10_956, 10_957, 20_783, 2_932_896, 3_257_811]
  const dates = [
    '1969-12-31',
    '1970-01-01',
    '1999-12-31',
    '2000-01-01',
    '2026-11-26',
    '9999-12-31',
    '10889-08-01',
  ]
  expect(days.map(dayText)).toEqual(dates)
  expect(await read('date', dateArray(days))).toEqual(dates)
})

test('texts with any characters, empty texts and nulls', async () => {
  const texts = ['', null, 'a,"b"\\{}', 'NULL', 'größer 🦔', '\n']
  expect(await read('text', textArray(texts))).toEqual(texts)
})

test('arrays without elements', async () => {
  expect(await read('bigint', bigintArray([]))).toEqual([])
  expect(await read('text', textArray([]))).toEqual([])
})
