import type { Pool } from 'pg'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { inTransaction } from '../../apps/shared/database/in-transaction.ts'
import { openPool } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

let pool: Pool
beforeAll(async () => {
  pool = openPool((await createTestDatabase()).url)
})
beforeEach(() => pool.query('TRUNCATE texts'))

const insert = `INSERT INTO texts (text) VALUES ('written')`

async function written(): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('SELECT count(*) FROM texts')
  return rows[0]?.count ?? -1
}

test('what the work wrote is committed, and its result returned', async () => {
  const result = await inTransaction(pool, async client => {
    await client.query(insert)
    expect(await written()).toBe(0)
    return 'result'
  })
  expect(result).toBe('result')
  expect(await written()).toBe(1)
})

test('is READ COMMITTED whatever the default of the database, and so is a single statement', async () => {
  const { url } = await createTestDatabase()
  const show = `SELECT current_setting('transaction_isolation') AS level`
  await openPool(url).query(
    `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_isolation TO 'serializable'`,
  )
  const other = openPool(`${url}?options=-c%20lock_timeout%3D123ms`)
  const { rows } = await inTransaction(other, client => client.query<{ level: string }>(show))
  expect(rows).toEqual([{ level: 'read committed' }])
  expect((await other.query(show)).rows).toEqual([{ level: 'read committed' }])
  // The URL's own settings hold, too.
  expect((await other.query('SHOW lock_timeout')).rows).toEqual([{ lock_timeout: '123ms' }])
})

test('the first statement can set the isolation level, settings and locks', async () => {
  const show = `SELECT current_setting('transaction_isolation') AS level, current_setting('lock_timeout') AS timeout`
  const { rows } = await inTransaction(pool, client => client.query(show), {
    isolation: 'REPEATABLE READ',
    first: `SET LOCAL lock_timeout = '123ms'; LOCK TABLE texts IN SHARE MODE`,
  })
  expect(rows).toEqual([{ level: 'repeatable read', timeout: '123ms' }])
})

test.each([
  ['the work throws', () => Promise.reject(new Error('no')), 'no'],
  ['a statement fails', () => pool.query('SELECT 1 / 0'), 'division by zero'],
])('nothing is written when %s, and the connection is closed', async (_, fail, message) => {
  let closed = false
  const failing = inTransaction(pool, async client => {
    client.once('end', () => {
      closed = true
    })
    await client.query(insert)
    await fail()
  })
  await expect(failing).rejects.toThrow(message)
  await waitUntil(() => closed, { what: 'the connection is closed' })
  expect(await written()).toBe(0)
})

test('nothing is written when the first statement fails, and no connection is kept', async () => {
  for (let i = 0; i < 6; i++)
    await expect(
      inTransaction(pool, client => client.query(insert), { first: 'SELECT 1 / 0' }),
    ).rejects.toThrow('division by zero')
  expect(await written()).toBe(0)
})

test('a connection lost within a transaction rejects, and the process continues', async () => {
  const bare = openPool(pool.options.connectionString ?? '')
  // As on a pool without a listener of its own.
  bare.on('connect', client => client.removeAllListeners('error'))
  const losing = inTransaction(bare, async client => {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await client.query(insert)
    // Both at once: the first may reject before the second has its response.
    await Promise.all([
      client.query('SELECT pg_sleep(10)'),
      pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]),
    ])
  })
  await expect(losing).rejects.toThrow(/terminat/i)
  expect(await written()).toBe(0)
})
