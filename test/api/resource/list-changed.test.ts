import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { indexChangedLinks, indexLinks } from '../../../apps/worker/maintenance/index-links.ts'
import { openPool, startApi } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import type { LinkAnswer, LinkClient } from './link-client.ts'
import { linkClient } from './link-client.ts'

let pool: Pool
let client: LinkClient

interface Row {
  id: number
  slug: string
  title: string | null
  visits: number
}

/** 6,000 indexed links, half of them with a title, and some hundred that are not indexed. No worker runs. */
beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  client = linkClient((await startApi({ databaseUrl: url })).origin)
  await pool.query(
    `INSERT INTO links (slug, long_url, title, created_at)
     SELECT 'link-' || n, 'https://example.com/' || n, CASE WHEN n % 2 = 0 THEN 'Before ' || n END,
            now() - CASE WHEN n <= 6000 THEN interval '1 hour' ELSE '0' END
     FROM generate_series(1, 6200) AS n`,
  )
  await pool.query(
    `INSERT INTO link_totals (link_id, visits, first_visit, last_visit) SELECT id, id % 5, now(), now() FROM links WHERE id % 5 > 0`,
  )
  await indexLinks(pool)
  await pool.query('ANALYZE')
})

async function countChanged(): Promise<number> {
  return (await pool.query('SELECT count(*) AS links FROM link_search_changed')).rows[0].links
}

async function changeTitles(isChanged: (n: number) => boolean, title: string | null): Promise<void> {
  const numbers = Array.from({ length: 6_200 }, (_, i) => i + 1).filter(isChanged)
  for (let i = 0; i < numbers.length; i += 1_000) {
    const links = numbers.slice(i, i + 1_000).map(n => ({ slug: `link-${n}`, title }))
    expect((await client.send('PATCH', '/api/links/bulk', { links })).status).toBe(200)
  }
}

const orders: [string, (a: Row, b: Row) => number][] = [
  ['newest', (a, b) => b.id - a.id],
  ['oldest', (a, b) => a.id - b.id],
  ['visits', (a, b) => b.visits - a.visits || (a.visits === 0 ? b.id - a.id : a.id - b.id)],
]

/** The slugs of every page there is, from the first to the last and back again. */
async function walk(query: string): Promise<{ there: string[]; back: string[] }> {
  const read = async (target: string, relation: 'next' | 'prev') => {
    const pages: LinkAnswer[] = []
    for (let next: string | undefined = target; next !== undefined; next = pages.at(-1)?.[relation])
      pages.push(await client.send('GET', next))
    return pages
  }
  const slugsOf = ({ body }: LinkAnswer) => (body as unknown as Row[]).map(({ slug }) => slug)
  const pages = await read(`/api/links?${query}`, 'next')
  const last = pages.at(-1)
  const before = last?.prev === undefined ? [] : await read(last.prev, 'prev')
  const back = [...before.toReversed(), ...(last === undefined ? [] : [last])]
  return { there: pages.flatMap(slugsOf), back: back.flatMap(slugsOf) }
}

describe.each(['a worker has', 'no worker has'])('changed links, of which %s written the blocks', state => {
  beforeAll(async () => {
    await changeTitles(n => n % 34 === 0, 'After')
    await changeTitles(n => n % 33 === 1, 'Before')
    if (state === 'a worker has') await indexChangedLinks(pool)
    expect(await countChanged()).toBe(state === 'a worker has' ? 0 : 364)
    await pool.query('ANALYZE')
  })

  test.each(orders)('are listed by their new titles only, on pages either way: %s', async (sort, compare) => {
    const { rows } = await pool.query<Row>(
      'SELECT id, slug, title, coalesce(visits, 0) AS visits FROM links LEFT JOIN link_totals ON id = link_id',
    )
    for (const text of ['after', 'before 4', 'link-33']) {
      const expected = rows
        .filter(({ slug, title }) => slug.includes(text) || title?.toLowerCase().includes(text))
        .sort(compare)
        .map(({ slug }) => slug)
      expect(expected.length).toBeGreaterThan(100)
      const { there, back } = await walk(`search=${text}&sort=${sort}&limit=100`)
      expect([text, there]).toEqual([text, expected])
      expect([text, back]).toEqual([text, expected])
    }
  })

  if (state === 'no worker has')
    test('are indexed again when their texts change, and only then', async () => {
      const before = await countChanged()
      await client.send('PATCH', '/api/links/link-5', { tags: ['x'], note: 'Note', disabled: true })
      await client.send('DELETE', '/api/links/link-5')
      expect(await countChanged()).toBe(before)
      await client.send('PATCH', '/api/links/link-7', { long_url: 'https://moved.example/' })
      expect(await client.list('?search=moved.example')).toEqual(['link-7'])
      expect(await client.list('?search=example.com/7&status=active')).not.toContain('link-7')
    })

  // The two rounds begin alike.
  test('can change back', async () => {
    await changeTitles(n => n % 34 === 0, 'Before')
    await changeTitles(n => n % 33 === 1, null)
    expect(await client.list('?search=after')).toEqual([])
    await indexChangedLinks(pool)
    expect(await client.list('?search=after')).toEqual([])
  })
})

test('a link is found by its new title, once, while workers write its block', async () => {
  let isDone = false
  const working = (async () => {
    while (!isDone) await indexChangedLinks(pool)
  })()
  try {
    for (let round = 0; round < 15; round++) {
      await client.send('PATCH', '/api/links/link-1000', { title: `Round ${round} of all` })
      expect(await client.list(`?search=round ${round} of`)).toEqual(['link-1000'])
      expect(await client.list(`?search=link-1000`)).toEqual(['link-1000'])
      expect(await client.list(`?search=round ${round - 1} of`)).toEqual([])
    }
  } finally {
    isDone = true
    await working
  }
})

test('of more changed links than a search looks at, workers make the rest appear', async () => {
  await pool.query(
    `WITH changed AS (UPDATE links SET title = replace(slug, 'link-', 'Number ') || '!' RETURNING id)
     INSERT INTO link_search_changed SELECT id FROM changed ON CONFLICT DO NOTHING`,
  )
  expect(await client.list('?search=number 5500!')).toEqual(['link-5500'])
  expect(await client.list('?search=number 500!&sort=oldest')).toEqual(['link-500'])
  expect(await client.list('?search=number 500!')).toEqual([])
  await indexChangedLinks(pool)
  expect(await client.list('?search=number 500!')).toEqual(['link-500'])
  expect(await client.list('?search=before')).toEqual([])
})
