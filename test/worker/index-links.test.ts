import type { Pool } from 'pg'
import { beforeEach, expect, test } from 'vitest'
import { indexLinks } from '../../apps/worker/maintenance/index-links.ts'
import { openPool } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'

let pool: Pool

beforeEach(async () => {
  pool = openPool((await createTestDatabase()).url)
})

async function insertLinks(from: number, to: number, ageSeconds: number): Promise<void> {
  await pool.query(
    `INSERT INTO links (slug, long_url, title, created_at)
     SELECT 'slug-' || n, 'https://example.com/' || n, CASE WHEN n % 2 = 0 THEN 'Title ' || n END, now() - $3 * interval '1 second'
     FROM generate_series($1::integer, $2::integer) AS n`,
    [from, to, ageSeconds],
  )
}

async function indexed(): Promise<string[]> {
  const { rows } = await pool.query<{ text: string }>('SELECT text FROM link_search ORDER BY link_id')
  return rows.map(({ text }) => text)
}

test('every link is indexed once, whatever their number and that of the workers', async () => {
  await insertLinks(1, 1_234, 3_600)
  await Promise.all([indexLinks(pool), indexLinks(pool), indexLinks(pool)])
  const texts = await indexed()
  expect(texts).toHaveLength(1_234)
  expect(texts.slice(0, 2)).toEqual([
    'slug-1\nhttps://example.com/1',
    'slug-2\nhttps://example.com/2\nTitle 2',
  ])
  await insertLinks(1_235, 1_240, 3_600)
  await indexLinks(pool)
  expect(await indexed()).toHaveLength(1_240)
})

test('a link that became visible late, behind younger ones, is not passed over', async () => {
  await insertLinks(1, 3, 3_600)
  const late = await pool.connect()
  await late.query(`BEGIN; INSERT INTO links (slug, long_url) VALUES ('late', 'https://example.com/late')`)
  await insertLinks(4, 6, 1)
  await indexLinks(pool)
  expect(await indexed()).toHaveLength(3)
  await late.query('COMMIT')
  late.release()
  await pool.query(`UPDATE links SET created_at = now() - interval '1 hour' WHERE slug <> 'slug-6'`)
  await indexLinks(pool)
  expect(await indexed()).toHaveLength(6)
})

test('what was indexed by a change of the link stays as it is', async () => {
  await insertLinks(1, 2, 3_600)
  await pool.query(`INSERT INTO link_search SELECT id, 'changed' FROM links WHERE slug = 'slug-2'`)
  await indexLinks(pool)
  expect(await indexed()).toEqual(['slug-1\nhttps://example.com/1', 'changed'])
})
