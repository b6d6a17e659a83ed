import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findLinks } from '../../../apps/api/resource/list/list-queries.ts'
import { poolConfig } from '../../../apps/shared/database/database.ts'
import { indexLinks } from '../../../apps/worker/maintenance/index-links.ts'
import { createTestDatabase } from '../../support/test-database.ts'

/** One connection: PostgreSQL's counts of what it has read are complete when it asks for them itself. */
let pool: pg.Pool

const links = 50_000

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = new pg.Pool(poolConfig(url, { max: 1, applicationName: 'search plans', statementTimeoutMs: 60_000 }))
  await pool.query(
    `INSERT INTO links (slug, long_url, title, tags, tag_keys, created_at, deleted_at)
     SELECT 'link-' || n, 'https://www.example' || n % 300 || '.com/' || n % 7000 || '/' || md5(n::text),
            CASE WHEN n < 10000 THEN 'Imported ' || n END, tags, tags, now() - interval '1 hour', CASE WHEN n % 9 = 0 THEN now() END
     FROM generate_series(1, $1::integer) AS n,
          LATERAL (SELECT CASE WHEN n % 1000 = 0 THEN '{rare}' WHEN n % 3 = 0 THEN '{common}' ELSE '{}' END::text[] AS tags) AS tagged`,
    [links],
  )
  await indexLinks(pool)
  await pool.query('VACUUM ANALYZE links')
  await pool.query('VACUUM ANALYZE link_search_blocks')
}, 120_000)

afterAll(() => pool.end())

interface Reads {
  /** Rows of links, and blocks, that were read from one end of the table to the other. */
  scanned: number
  links: number
  blocks: number
}

async function reads(): Promise<Reads> {
  await pool.query('SELECT pg_stat_force_next_flush()')
  const { rows } = await pool.query<Reads>(
    `SELECT sum(seq_tup_read)::integer AS scanned,
            (sum(idx_tup_fetch) FILTER (WHERE relname = 'links'))::integer AS links,
            (sum(idx_tup_fetch) FILTER (WHERE relname = 'link_search_blocks'))::integer AS blocks
     FROM pg_stat_user_tables WHERE relname IN ('links', 'link_search_blocks')`,
  )
  const [row] = rows
  if (row === undefined) throw new Error('there are no counts')
  return row
}

test.each<[string, { search?: string; tag?: string; limit?: number }, { found: number; blocks: number }]>([
  ['common', { search: 'example' }, { found: 26, blocks: 40 }],
  ['a domain', { search: 'example123.com' }, { found: 26, blocks: 600 }],
  ['the beginning of a target', { search: 'https://www.example123.com/' }, { found: 26, blocks: 600 }],
  ['old ones only', { search: 'IMPORTED' }, { found: 26, blocks: 1_400 }],
  ['one', { search: 'link-7777' }, { found: 1, blocks: 1_100 }],
  ['one character', { search: 'q' }, { found: 0, blocks: 1_050 }],
  ['two characters', { search: '/x' }, { found: 0, blocks: 1_050 }],
  ['no letters', { search: '€' }, { found: 0, blocks: 1_050 }],
  ['none, of common parts', { search: 'exampleimported' }, { found: 0, blocks: 1_050 }],
  ['a rare tag', { tag: 'rare' }, { found: 26, blocks: 0 }],
  ['a text and a rare tag', { tag: 'rare', search: 'example' }, { found: 26, blocks: 2_000 }],
  ['a text and a common tag', { tag: 'common', search: 'imported 77' }, { found: 24, blocks: 1_300 }],
])('a page is found without reading all: %s', async (_, { search, tag }, most) => {
  const before = await reads()
  const { ids } = await findLinks(pool, {
    search,
    tagKeys: tag === undefined ? [] : [tag],
    state: undefined,
    sort: 'newest',
    limit: 26,
    after: undefined,
  })
  const after = await reads()
  expect(ids).toHaveLength(most.found)
  expect(after.scanned - before.scanned).toBe(0)
  expect(after.blocks - before.blocks).toBeLessThanOrEqual(most.blocks)
  expect(after.links - before.links).toBeLessThan(links / 4)
})

test('a page looks at 5,000 changed links at most', async () => {
  await pool.query('INSERT INTO link_search_changed SELECT id FROM links WHERE id % 2 = 0')
  const before = await reads()
  const { ids } = await findLinks(pool, {
    search: 'link-49998',
    tagKeys: [],
    state: undefined,
    sort: 'newest',
    limit: 26,
    after: undefined,
  })
  const after = await reads()
  expect(ids).toHaveLength(1)
  expect(after.scanned - before.scanned).toBe(0)
  expect(after.links - before.links).toBeLessThan(5_100)
})
