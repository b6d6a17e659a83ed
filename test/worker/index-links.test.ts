import type { Pool } from 'pg'
import { beforeEach, expect, test } from 'vitest'
import { indexAgain } from '../../apps/api/resource/index-again.ts'
import { inTransaction } from '../../apps/shared/database/in-transaction.ts'
import { indexLinks } from '../../apps/worker/maintenance/index-links.ts'
import { openPool } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

let pool: Pool

beforeEach(async () => {
  pool = openPool((await createTestDatabase()).url)
})

async function insertLinks(from: number, to: number, ageSeconds: number): Promise<void> {
  await pool.query(
    `INSERT INTO links (slug, long_url, title, created_at)
     SELECT 'Slug-' || n, 'https://example.com/' || n, CASE WHEN n % 2 = 0 THEN 'Title ' || n END, now() - $3 * interval '1 second'
     FROM generate_series($1::integer, $2::integer) AS n`,
    [from, to, ageSeconds],
  )
}

/** The lines of all blocks, by link. */
async function indexed(): Promise<{ id: number; line: string }[]> {
  const { rows } = await pool.query<{ id: number; line: string }>(
    `SELECT id, line FROM link_search_blocks, unnest(ids, string_to_array(text, E'\n')) AS link (id, line) ORDER BY id`,
  )
  return rows
}

async function progress(): Promise<{ block: number; links: number } | undefined> {
  const { rows } = await pool.query<{ block: number; links: number }>(
    'SELECT block, links FROM link_search_state',
  )
  return rows[0]
}

test('every link of a whole block is indexed once, whatever their number and that of the workers', async () => {
  await insertLinks(1, 1_234, 3_600)
  await Promise.all([indexLinks(pool), indexLinks(pool), indexLinks(pool)])
  const lines = await indexed()
  // 38 blocks of 32, of which the first lacks the id 0.
  expect(lines.map(({ id }) => id)).toEqual(Array.from({ length: 1_215 }, (_, i) => i + 1))
  expect(lines.slice(0, 2).map(({ line }) => line)).toEqual([
    'slug-1\thttps://example.com/1',
    'slug-2\thttps://example.com/2\ttitle 2',
  ])
  expect(await progress()).toEqual({ block: 38, links: 1_215 })
  await insertLinks(1_235, 1_250, 3_600)
  await indexLinks(pool)
  expect(await indexed()).toHaveLength(1_247)
  expect(await progress()).toEqual({ block: 39, links: 1_247 })
})

test('links with the longest targets and titles are indexed', async () => {
  await pool.query(
    `INSERT INTO links (slug, long_url, title, created_at)
     SELECT 'long-' || n, 'https://example.com/' || string_agg(md5(n || '.' || m), ''), repeat('東', 200), now() - interval '1 hour'
     FROM generate_series(1, 40) AS n, generate_series(1, 62) AS m GROUP BY n`,
  )
  await indexLinks(pool)
  expect(await indexed()).toHaveLength(31)
  await inTransaction(pool, client => indexAgain(client, [1, 2, 3]))
  expect(await indexed()).toHaveLength(31)
})

test('ids that no link has are passed over', async () => {
  await insertLinks(1, 40, 3_600)
  await pool.query(`SELECT setval('links_id_seq', 1000000)`)
  await insertLinks(41, 80, 3_600)
  await indexLinks(pool)
  expect(await progress()).toEqual({ block: Math.floor(1_000_041 / 32), links: 71 })
  expect(await indexed()).toHaveLength(71)
})

test('a link that became visible late, behind younger ones, is not passed over', async () => {
  await insertLinks(1, 40, 3_600)
  const late = await pool.connect()
  await late.query(`BEGIN; INSERT INTO links (slug, long_url) VALUES ('late', 'https://example.com/late')`)
  await insertLinks(41, 100, 1)
  await indexLinks(pool)
  expect(await indexed()).toHaveLength(31)
  await late.query('COMMIT')
  late.release()
  await pool.query(`UPDATE links SET created_at = now() - interval '1 hour' WHERE slug <> 'Slug-100'`)
  await indexLinks(pool)
  const lines = await indexed()
  expect(lines).toHaveLength(95)
  expect(lines.map(({ line }) => line)).toContain('late\thttps://example.com/late')
})

test('a change that a worker does not see yet is in the block all the same', async () => {
  await insertLinks(1, 40, 3_600)
  const worker = await pool.connect()
  await worker.query('BEGIN; SELECT FROM link_search_state FOR UPDATE')
  const change = inTransaction(pool, async client => {
    await client.query(`UPDATE links SET title = 'Changed' WHERE id = 2`)
    await indexAgain(client, [2])
  })
  // As a worker that has read the links before the change, and commits while it waits.
  await waitUntil(async () => (await pool.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount !== 0, {
    what: 'the change waits',
  })
  await worker.query(
    `INSERT INTO link_search_blocks SELECT 0, '{2}', 'old', '{}';
     UPDATE link_search_state SET block = 1; COMMIT`,
  )
  worker.release()
  await change
  const { rows } = await pool.query<{ text: string }>('SELECT text FROM link_search_blocks')
  expect(rows[0]?.text).toContain('slug-2\thttps://example.com/2\tchanged')
})
