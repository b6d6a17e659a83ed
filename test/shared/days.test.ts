import type { Pool } from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { dayMs, dayNumber, dayText, parseDay } from '../../apps/shared/days.ts'
import { openPool } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'

let pool: Pool
beforeAll(async () => {
  pool = openPool((await createTestDatabase()).url)
})

/** The last day of a time in 48 bits, which is what a batch can hold. */
const lastDay = dayNumber(2 ** 48 - 1)
const days = [0, 1, 58, 59, 10_956, 10_957, 20_783, 2_932_896, 2_932_897, lastDay]

test('PostgreSQL reads and prints a day as this code does, in any year that a batch can hold', async () => {
  const { rows } = await pool.query<{ day: string; number: number }>(
    `SELECT day, day - '1970-01-01'::date AS number FROM unnest($1::date[]) AS day`,
    [days.map(dayText)],
  )
  expect(rows.map(row => row.number)).toEqual(days)
  expect(rows.map(row => row.day)).toEqual(days.map(dayText))
  expect(rows.map(row => parseDay(row.day))).toEqual(days)
})

test('a day begins at midnight UTC', () => {
  for (const day of days) {
    expect(dayNumber(day * dayMs)).toBe(day)
    expect(dayNumber(day * dayMs - 1)).toBe(day - 1)
  }
})
