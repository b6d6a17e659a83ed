/** A visitor's address is in the spool and the queue while the visit waits; never in PostgreSQL tables, never in a log. */
import { expect, test } from 'vitest'
import {
  openPool,
  shorten,
  spoolDirOf,
  startApi,
  startWorker,
  visit,
  waitForVisits,
} from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

const address = '203.0.113.99'
const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

test('no address reaches a log or PostgreSQL, even if PostgreSQL carries the queue', async () => {
  const installation = {
    databaseUrl: (await createTestDatabase()).url,
    env: { TRUST_PROXY: '127.0.0.1/32', LOG_LEVEL: 'trace' },
  }
  const spoolDir = spoolDirOf(installation)
  const first = await startApi({ ...installation, spoolDir })
  const pool = openPool(installation.databaseUrl)
  const slug = await shorten(first.origin)
  for (let i = 0; i < 20; i++)
    await visit(first.origin, slug, {
      'x-forwarded-for': address,
      'user-agent': chrome,
      'accept-language': 'de',
    })
  // No worker yet: the batch stays in the queue.
  const waiting = async (inSpool: boolean) =>
    (await pool.query("SELECT FROM hopcount_queue.job WHERE (data->>'key' = 'spool') = $1", [inSpool])).rows
  await waitUntil(async () => (await waiting(true)).length > 0, { what: 'a batch waits in PostgreSQL' })
  expect(await rowsWithAddress(pool)).toEqual([])

  // A batch that another process takes over goes through the queue with its frames.
  first.process.kill('SIGKILL')
  await first.process.exited
  await pool.query('DELETE FROM hopcount_queue.job')
  const api = await startApi({ ...installation, spoolDir })
  await waitUntil(async () => (await waiting(false)).length > 0, { what: 'a batch waits with its frames' })
  expect(await rowsWithAddress(pool)).toEqual([])

  const worker = await startWorker({ ...installation, spoolDir })
  await waitForVisits(api.origin, slug, 20)
  expect(await rowsWithAddress(pool)).toEqual([])
  // The worker did receive it: it counted one person, from one country.
  const { rows } = await pool.query('SELECT uniques FROM link_totals WHERE link_id > 0')
  expect(rows).toEqual([{ uniques: 1 }])
  for (const { output } of [first.process, api.process, worker]) expect(output()).not.toContain(address)
})

/** Tables with a row that contains it, as it is or in base64. */
async function rowsWithAddress(pool: ReturnType<typeof openPool>): Promise<string[]> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  )
  const base64 = [0, 1, 2].map(offset =>
    Buffer.from(`${' '.repeat(offset)}${address}`)
      .toString('base64')
      .slice(4, 12),
  )
  const found: string[] = []
  for (const { name } of tables) {
    const { rows } = await pool.query(
      `SELECT FROM ${name} AS t WHERE to_jsonb(t)::text LIKE ANY ($1) LIMIT 1`,
      [[address, ...base64].map(text => `%${text}%`)],
    )
    if (rows.length > 0) found.push(name)
  }
  return found
}
