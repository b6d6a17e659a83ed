import type { Pool, PoolClient } from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { indexLater } from '../../apps/api/resource/index-later.ts'
import { inTransaction } from '../../apps/shared/database/in-transaction.ts'
import { gramsOfSearch } from '../../apps/shared/link-search.ts'
import { indexChangedLinks, indexLinks } from '../../apps/worker/maintenance/index-links.ts'
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
  await inTransaction(pool, client => indexLater(client, [1, 2, 3]))
  await indexChangedLinks(pool)
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

async function changed(): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    'SELECT link_id AS id FROM link_search_changed ORDER BY link_id',
  )
  return rows.map(({ id }) => id)
}

async function change(client: PoolClient, ids: number[], title: string): Promise<void> {
  await client.query('UPDATE links SET title = $2 WHERE id = ANY($1::bigint[])', [ids, title])
  await indexLater(client, ids)
}

/** The ids of links with this title. */
async function indexedAs(title: string): Promise<number[]> {
  const lines = await indexed()
  return lines.filter(({ line }) => line.endsWith(`\t${title}`)).map(({ id }) => id)
}

describe('changed links', () => {
  const open = async () => {
    const client = await pool.connect()
    await client.query('BEGIN')
    return client
  }
  const commit = async (client: PoolClient) => {
    await client.query('COMMIT')
    client.release()
  }
  const isWaitedFor = (transactions: number) =>
    waitUntil(
      async () => (await pool.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount === transactions,
      { what: `${transactions} transactions wait` },
    )

  test('are indexed again, whatever their number and that of the workers', async () => {
    await insertLinks(1, 1_300, 3_600)
    await indexLinks(pool)
    const ids = Array.from({ length: 1_200 }, (_, i) => i + 1).filter(id => id < 100 || id % 7 === 0)
    await inTransaction(pool, client => change(client, ids.toReversed(), 'changed'))
    await inTransaction(pool, client => change(client, ids.slice(0, 50), 'changed again'))
    expect(await changed()).toEqual(ids)
    await Promise.all([indexChangedLinks(pool), indexChangedLinks(pool), indexChangedLinks(pool)])
    expect(await indexedAs('changed again')).toEqual(ids.slice(0, 50))
    expect(await indexedAs('changed')).toEqual(ids.slice(50))
    expect(await changed()).toEqual([])
    expect(await indexed()).toHaveLength(1_279)
    const grams = gramsOfSearch('changed')
    const { rows } = await pool.query('SELECT FROM link_search_blocks WHERE grams @> $1::smallint[]', [grams])
    expect(rows).toHaveLength(38)
  })

  test('that change once more while their block is written are indexed once more', async () => {
    await insertLinks(1, 40, 3_600)
    await indexLinks(pool)
    await inTransaction(pool, client => change(client, [2], 'first'))
    const inTheWay = await open()
    await inTheWay.query('SELECT FROM link_search_blocks FOR UPDATE')
    const worker = indexChangedLinks(pool)
    await isWaitedFor(1)
    // The worker has read the link.
    const second = inTransaction(pool, client => change(client, [2], 'second'))
    await isWaitedFor(2)
    await commit(inTheWay)
    await Promise.all([worker, second])
    await indexChangedLinks(pool)
    expect([await indexedAs('first'), await indexedAs('second')]).toEqual([[], [2]])
    expect(await changed()).toEqual([])
  })

  test('that change once more before a worker takes them stay until that is committed', async () => {
    await insertLinks(1, 40, 3_600)
    await indexLinks(pool)
    await inTransaction(pool, client => change(client, [2, 3], 'first'))
    const second = await open()
    await change(second, [2], 'second')
    await indexChangedLinks(pool)
    expect([await indexedAs('first'), await changed()]).toEqual([[2, 3], [2]])
    await commit(second)
    await indexChangedLinks(pool)
    expect([await indexedAs('first'), await indexedAs('second')]).toEqual([[3], [2]])
    expect(await changed()).toEqual([])
  })

  test('of no block yet are no longer listed, and in their block as they are', async () => {
    await insertLinks(1, 40, 1)
    await inTransaction(pool, client => change(client, [2], 'changed'))
    await indexChangedLinks(pool)
    expect(await changed()).toEqual([])
    await pool.query(`UPDATE links SET created_at = now() - interval '1 hour'`)
    await indexLinks(pool)
    expect(await indexedAs('changed')).toEqual([2])
  })

  test('whose block is being written for the first time are indexed again', async () => {
    await insertLinks(1, 40, 3_600)
    const worker = await open()
    await worker.query('SELECT FROM link_search_state FOR UPDATE')
    // No lock of the worker's is in the way of a change.
    await inTransaction(pool, client => change(client, [2], 'changed'))
    await worker.query(
      `INSERT INTO link_search_blocks SELECT 0, '{2}', 'old', '{}'; UPDATE link_search_state SET block = 1`,
    )
    await commit(worker)
    await indexChangedLinks(pool)
    expect((await pool.query('SELECT text FROM link_search_blocks')).rows[0].text).toContain('\tchanged')
  })
})
