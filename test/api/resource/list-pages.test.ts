import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { indexLinks } from '../../../apps/worker/maintenance/index-links.ts'
import { openPool, startApi } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import type { LinkAnswer, LinkClient } from './link-client.ts'
import { linkClient } from './link-client.ts'

let pool: Pool
let client: LinkClient

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  client = linkClient((await startApi({ databaseUrl: url })).origin)
})

const page = (query: string, headers = {}) => client.send('GET', query, undefined, headers)
const slugsOf = ({ body }: LinkAnswer) => (body as unknown as { slug: string }[]).map(({ slug }) => slug)

async function createTagged(tag: string, links: number): Promise<string[]> {
  const slugs: string[] = []
  for (let i = 0; i < links; i++) slugs.push((await client.create({ tags: [tag] })).slug)
  return slugs
}

async function follow(answer: LinkAnswer, relation: 'prev' | 'next'): Promise<LinkAnswer> {
  const target = answer[relation]
  if (target === undefined) throw new Error(`the page has no ${relation}`)
  return page(target)
}

describe('a page', () => {
  test.each(['newest', 'oldest'])('leads to the ones before and after it: %s first', async sort => {
    const tag = `pages-${sort}`
    const made = await createTagged(tag, 10)
    const listed = sort === 'newest' ? made.toReversed() : made
    const first = await page(`/api/links?tag=${tag}&limit=4&sort=${sort}&sparkline=true`)
    const second = await follow(first, 'next')
    const third = await follow(second, 'next')
    expect([first, second, third].map(slugsOf)).toEqual([
      listed.slice(0, 4),
      listed.slice(4, 8),
      listed.slice(8),
    ])
    expect([first.prev, third.next]).toEqual([undefined, undefined])
    const back = await follow(third, 'prev')
    expect(slugsOf(back)).toEqual(slugsOf(second))
    expect(slugsOf(await follow(back, 'next'))).toEqual(slugsOf(third))
    const top = await follow(back, 'prev')
    expect([slugsOf(top), top.prev]).toEqual([slugsOf(first), undefined])
    expect(top.next).toBe(first.next)
    expect([first, second, third, back, top].map(({ count }) => count)).toEqual(Array(5).fill('10'))
  })

  test('has neighbors that are asked the same question', async () => {
    for (let i = 0; i < 3; i++) await client.create({ tags: ['kept', 'too'] })
    const query = 'limit=1&search=example&status=active&sort=visits&window=7d&sparkline=true&tag=kept&tag=too'
    const first = await page(`/api/links?${query}`)
    const second = await follow(first, 'next')
    for (const [target, position] of [
      [first.next, 'after'],
      [second.next, 'after'],
      [second.prev, 'before'],
    ] as const) {
      const parameters = new URL(target ?? '', 'http://api.example').searchParams
      expect(parameters.get(position)).not.toBeNull()
      parameters.delete(position)
      expect([...parameters].sort()).toEqual([...new URLSearchParams(query)].sort())
    }
  })

  test('that ends with the list has no next one', async () => {
    await createTagged('exact', 4)
    expect((await page('/api/links?tag=exact&limit=2')).next).toBeDefined()
    expect((await page('/api/links?tag=exact&limit=4')).next).toBeUndefined()
    const second = await follow(await page('/api/links?tag=exact&limit=2'), 'next')
    expect([slugsOf(second).length, second.next]).toEqual([2, undefined])
  })

  test('before another is exactly that, whatever was created or deleted meanwhile', async () => {
    const made = (await createTagged('moving', 9)).toReversed()
    const third = await follow(await follow(await page('/api/links?tag=moving&limit=3'), 'next'), 'next')
    const newer = (await createTagged('moving', 2)).toReversed()
    const second = await follow(third, 'prev')
    expect(slugsOf(second)).toEqual(made.slice(3, 6))
    await client.send('DELETE', `/api/links/${made[1]}`)
    const top = await follow(second, 'prev')
    expect(slugsOf(top)).toEqual([newer[1], made[0], made[2]])
    // The first page is a full one, although only one link is left before this.
    const first = await follow(top, 'prev')
    expect([slugsOf(first), first.prev]).toEqual([[newer[0], newer[1], made[0]], undefined])
  })

  test('whose links are all deleted still leads to those beside it', async () => {
    const made = (await createTagged('emptied', 6)).toReversed()
    const first = await page('/api/links?tag=emptied&limit=2')
    const third = await follow(await follow(first, 'next'), 'next')
    for (const slug of made.slice(4)) await client.send('DELETE', `/api/links/${slug}`)
    const emptied = await follow(await follow(first, 'next'), 'prev')
    expect(slugsOf(emptied)).toEqual(made.slice(0, 2))
    expect(slugsOf(await follow(third, 'prev'))).toEqual(made.slice(2, 4))
    const gone = await page(
      `/api/links?tag=emptied&limit=2&after=${new URLSearchParams(first.next).get('after')}`,
    )
    expect(slugsOf(gone)).toEqual(made.slice(2, 4))
    for (const slug of made.slice(2, 4)) await client.send('DELETE', `/api/links/${slug}`)
    const empty = await follow(first, 'next')
    expect([slugsOf(empty), empty.next]).toEqual([[], undefined])
    expect(slugsOf(await follow(empty, 'prev'))).toEqual(made.slice(0, 2))
  })

  test('that is empty, at the end of a list, is right behind the one before', async () => {
    for (const sort of ['newest', 'oldest']) {
      const tag = `ended-${sort}`
      const made = await createTagged(tag, 7)
      const listed = sort === 'newest' ? made.toReversed() : made
      const second = await follow(await page(`/api/links?tag=${tag}&limit=2&sort=${sort}`), 'next')
      for (const slug of listed.slice(4)) await client.send('DELETE', `/api/links/${slug}`)
      const empty = await follow(second, 'next')
      expect([slugsOf(empty), empty.next]).toEqual([[], undefined])
      expect(slugsOf(await follow(empty, 'prev'))).toEqual(listed.slice(2, 4))
    }
  })
})

describe('a list', () => {
  test('says how many links match, up to a bound', async () => {
    await createTagged('counted', 5)
    const count = async (query: string) => (await page(`/api/links?limit=2&${query}`)).count
    expect(await count('tag=counted')).toBe('5')
    expect(await count('tag=absent')).toBe('0')
    await pool.query(
      `INSERT INTO links (slug, long_url, title) SELECT 'bound-' || n, 'https://example.com/', 'Bound' FROM generate_series(1, 305) AS n`,
    )
    expect(await count('search=bound-')).toBe('300+')
    expect(await count('search=bound-304')).toBe('1')
    await pool.query(
      `DELETE FROM links WHERE slug IN ('bound-1', 'bound-2', 'bound-3', 'bound-4', 'bound-5')`,
    )
    await expect.poll(() => count('search=bound-')).toBe('300')
  })

  test('says exactly how many links there are, indexed or not, without the deleted ones', async () => {
    const count = async () => (await page('/api/links?limit=2')).count
    await pool.query(
      `INSERT INTO links (slug, long_url, created_at) SELECT 'all-' || n, 'https://example.com/', now() - interval '1 hour' FROM generate_series(1, 100) AS n`,
    )
    const { slug } = await client.create()
    await client.send('DELETE', `/api/links/${slug}`)
    await pool.query(`UPDATE links SET created_at = now() - interval '1 hour'`)
    const { rows } = await pool.query('SELECT count(*) AS links FROM links WHERE deleted_at IS NULL')
    await expect.poll(count).toBe(String(rows[0].links))
    await indexLinks(pool)
    expect((await pool.query('SELECT links FROM link_search_state')).rows[0].links).toBeGreaterThan(100)
    await client.create()
    await expect.poll(count).toBe(String(rows[0].links + 1))
    expect((await page('/api/links?limit=2&status=active')).count).toMatch(/^(\d+|300\+)$/)
  })

  test('has every link that was created, and every change that was made, before the request', async () => {
    for (let i = 0; i < 8; i++) {
      const { slug } = await client.create()
      const url = '/api/links?limit=1'
      expect(slugsOf(await page(url))).toEqual([slug])
      await client.send('PATCH', `/api/links/${slug}`, { title: `Title ${i}` })
      expect((await page(url)).body).toMatchObject([{ slug, title: `Title ${i}` }])
      await client.send('DELETE', `/api/links/${slug}`)
      expect(slugsOf(await page(url))).not.toContain(slug)
    }
  })

  test('is sent once: 304 until a link, its visits or the count changes', async () => {
    const [older, newer] = await createTagged('polled', 2)
    const url = '/api/links?tag=polled&limit=1'
    let known = await page(url)
    expect(known.etag).toMatch(/^"/)
    const poll = () => page(url, { 'if-none-match': `"other", W/${known.etag}` })
    async function expectNews(): Promise<void> {
      const news = await poll()
      expect(news.status).toBe(200)
      known = news
      const again = await poll()
      expect([again.status, again.count, again.next, again.etag]).toEqual([
        304,
        news.count,
        news.next,
        news.etag,
      ])
    }
    expect((await poll()).status).toBe(304)
    await client.send('PATCH', `/api/links/${newer}`, { title: 'New' })
    await expectNews()
    await pool.query(
      `INSERT INTO link_totals (link_id, visits, first_visit, last_visit) SELECT id, 3, now(), now() FROM links WHERE slug = $1`,
      [newer],
    )
    await expectNews()
    await pool.query(`UPDATE links SET expires_at = now() - interval '1 s' WHERE slug = $1`, [newer])
    await expectNews()
    // Nothing that the page shows changes, but the count and the next page.
    await client.send('DELETE', `/api/links/${older}`)
    await expect.poll(async () => (await poll()).status).toBe(200)
    expect(await poll()).toMatchObject({ count: '1', next: undefined })
  })

  test('counts visits by who made them, and says how fresh that is', async () => {
    const [visited, unvisited] = await createTagged('visited', 2)
    await pool.query(
      `WITH link AS (SELECT id FROM links WHERE slug = $1), total AS (
         INSERT INTO link_totals (link_id, visits, bots, previews, uniques, first_visit, last_visit)
         SELECT id, 10, 3, 2, 4, now(), now() FROM link)
       INSERT INTO link_days (link_id, day, visits, bots, previews, uniques)
       SELECT id, (now() AT TIME ZONE 'UTC')::date - n, 10 * n, 3 * n, 2 * n, 4 FROM link, generate_series(1, 7) AS n`,
      [visited],
    )
    const list = await page('/api/links?tag=visited&sparkline=true')
    expect(list.body).toMatchObject([
      { slug: unvisited, visits: 0, humans: 0, bots: 0, previews: 0, uniques: 0, last_visit: null },
      {
        slug: visited,
        visits: 10,
        humans: 5,
        bots: 3,
        previews: 2,
        uniques: 4,
        last_visit: expect.any(String),
      },
    ])
    const lines = (list.body as unknown as { sparkline: number[] }[]).map(({ sparkline }) => sparkline)
    expect(lines).toEqual([
      [0, 0, 0, 0, 0, 0, 0],
      [30, 25, 20, 15, 10, 5, 0],
    ])
    expect(Date.parse(list.headers.get('x-stats-as-of') ?? '')).toBeGreaterThan(0)
    expect(list.headers.get('x-stats-pending')).toBe('0')
    expect((await page('/api/links?tag=visited')).body).not.toMatchObject([{ sparkline: expect.anything() }])
  })
})

test.each(['after=1&before=2', 'before=x', 'sparkline=perhaps'])(
  'a query that says nothing has status 400: %s',
  async text => {
    expect((await page(`/api/links?${text}`)).status).toBe(400)
  },
)
