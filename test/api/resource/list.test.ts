import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { indexLinks } from '../../../apps/worker/maintenance/index-links.ts'
import { openPool, shorten, startApi } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import type { LinkClient } from './link-client.ts'
import { linkClient } from './link-client.ts'

let pool: Pool
let origin: string
let client: LinkClient

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  origin = (await startApi({ databaseUrl: url, env: { OWN_HOSTS: 'hop.example' } })).origin
  client = linkClient(origin)
})

function query(parameters: Record<string, string | string[]>): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    [value].flat().map(each => [name, each]),
  )
  return `?${new URLSearchParams(pairs)}`
}

const find = (search: string, others: Record<string, string | string[]> = {}) =>
  client.list(query({ search, ...others }))

describe('a search', () => {
  test('finds parts of slug, target and title, in upper or lower case', async () => {
    await client.create({ slug: 'Needle-1', long_url: 'https://example.com/Haystack/Pin' })
    await client.create({ slug: 'b', long_url: 'https://Straw.example/path?q=Stem', title: 'Größe ÄÖ' })
    for (const [search, slugs] of [
      ['needle', ['Needle-1']],
      ['EEDLE-', ['Needle-1']],
      ['haystack/P', ['Needle-1']],
      ['STRAW.', ['b']],
      ['q=sTeM', ['b']],
      ['größe ä', ['b']],
      ['ÖS', []],
      ['ÄÖ', ['b']],
      ['https://straw.example/path', ['b']],
      ['Needle-1x', []],
      [' needle ', ['Needle-1']],
    ] as const)
      expect([search, await find(search)]).toEqual([search, slugs])
  })

  test('takes every character as itself', async () => {
    await client.create({ slug: 'percent', title: '100% of_it \\ (all) [x] "q"' })
    await client.create({ slug: 'none', title: '100 ofXit / all' })
    for (const search of ['100%', '%', 'of_it', '_it', '\\', '(all)', '[x]', '"q"', '% of_it \\'])
      expect([search, await find(search, { status: 'active' })]).toEqual([search, ['percent']])
  })

  test('finds targets as people write them, although they are stored percent-encoded', async () => {
    await client.create({ slug: 'encoded', long_url: 'https://example.org/straße/a b|c?x=ü' })
    for (const search of ['straße', 'STRAßE/a%20b', 'https://example.org/straße/', 'x=ü', '%C3%BC', 'a b'])
      expect([search, await find(search)]).toEqual([search, ['encoded']])
  })

  test('finds the link of a short URL of this service', async () => {
    await client.create({ slug: 'Short', title: 'Not its address' })
    await client.create({ slug: 'Shorter', title: 'https://hop.example/Short' })
    const { host } = new URL(origin)
    for (const search of [
      `${origin}/Short`,
      `${host}/Short`,
      'https://hop.example/Short',
      'hop.example/Short+',
      'HTTP://HOP.example:80/Short?utm_source=x',
      ' https://hop.example/Short/ ',
    ])
      expect([search, await find(search)]).toEqual([search, ['Short']])
    expect(await find('https://hop.example/Absent')).toEqual([])
    expect(await find('https://other.example/Short')).toEqual([])
  })
})

test('tags are compared without regard to case, and all that are given must match', async () => {
  const slugs = []
  for (const tags of [['Größe', 'a'], ['GRÖßE'], ['größe', 'B', 'A'], ['größer']])
    slugs.push((await client.create({ tags })).slug)
  expect(await client.list(query({ tag: 'GRÖßE' }))).toEqual([slugs[2], slugs[1], slugs[0]])
  expect(await client.list(query({ tag: [' größe', 'A'] }))).toEqual([slugs[2], slugs[0]])
  expect(await client.list(query({ tag: ['größe', 'b', 'A'], search: 'example' }))).toEqual([slugs[2]])
  expect(await client.list(query({ tag: 'gr' }))).toEqual([])
  await client.send('PATCH', `/api/links/${slugs[0]}`, { tags: ['a', 'new'] })
  expect(await client.list(query({ tag: 'größe' }))).toEqual([slugs[2], slugs[1]])
  expect(await client.list(query({ tag: 'NEW' }))).toEqual([slugs[0]])
})

test('the tags in use are counted, each spelled as most of its links spell it', async () => {
  for (const tags of [['Tally'], ['TALLY', 'Other tally'], ['Tally'], ['tally']])
    await client.create({ tags })
  const { slug } = await client.create({ tags: ['Tally'] })
  await client.send('DELETE', `/api/links/${slug}`)
  await expect
    .poll(async () => {
      const { body } = await client.send('GET', '/api/tags')
      return (body as unknown as { tag: string }[]).filter(({ tag }) => /tally/i.test(tag))
    })
    .toEqual([
      { tag: 'Tally', links: 4 },
      { tag: 'Other tally', links: 1 },
    ])
})

test('every link is in the list of its state, and of no other', async () => {
  const slugs: Record<string, string> = {}
  const create = async (state: string, body = {}) => {
    slugs[state] = (await client.create({ tags: ['state'], ...body })).slug
  }
  await create('active', {
    expires_at: '2099-01-01T00:00:00Z',
    valid_from: '2020-01-01T00:00:00Z',
    max_visits: 3,
  })
  await create('scheduled', { valid_from: '2098-01-01T00:00:00Z' })
  await create('expired', { expires_at: '2099-01-01T00:00:00Z' })
  await create('exhausted', { max_visits: 2 })
  await create('disabled', { disabled: true, valid_from: '2098-01-01T00:00:00Z' })
  await create('deleted', { disabled: true })
  await client.send('DELETE', `/api/links/${slugs.deleted}`)
  await pool.query(`UPDATE links SET expires_at = now() - interval '1 day' WHERE slug = $1`, [slugs.expired])
  await pool.query(`INSERT INTO link_quotas SELECT id, 2 FROM links WHERE slug = $1`, [slugs.exhausted])
  for (const [state, slug] of Object.entries(slugs)) {
    expect([state, await client.list(query({ status: state, tag: 'state' }))]).toEqual([state, [slug]])
    expect(await client.list(query({ status: state }))).toContain(slug)
    expect((await client.send('GET', `/api/links/${slug}`)).body.state).toBe(state)
    const stats = await client.send('GET', `/stats/${slug}`)
    const deleted_at = state === 'deleted' ? expect.any(String) : null
    expect(stats).toMatchObject({ status: 200, body: { slug, state, deleted_at } })
  }
  const { deleted: _, ...others } = slugs
  expect(await client.list(query({ tag: 'state' }))).toEqual(Object.values(others).reverse())
})

test('pages stay whole while links are created and deleted', async () => {
  const made: string[] = []
  for (let i = 0; i < 12; i++) made.push((await client.create({ tags: ['paged'] })).slug)
  for (const sort of ['newest', 'oldest']) {
    const seen: string[] = []
    let next: string | undefined = `/api/links?tag=paged&limit=5&sort=${sort}`
    while (next !== undefined) {
      const page = await client.send('GET', next)
      seen.push(...(page.body as unknown as { slug: string }[]).map(({ slug }) => slug))
      next = page.next
      if (seen.length < 11)
        await client.send('DELETE', `/api/links/${(await client.create({ tags: ['paged'] })).slug}`)
      if (seen.length < 11) await shorten(origin, { tags: ['paged-later'] })
    }
    expect(seen).toEqual(sort === 'newest' ? made.toReversed() : made)
  }
})

test.each([
  'limit=0',
  'limit=101',
  'limit=x',
  'after=-1',
  'after=x',
  'after=1e3',
  'after=9999999999999999',
  'sort=best',
  'status=gone',
  'search=',
  'search=%00',
  'search=a%0Ab',
  'tag=',
  'tag=%00',
  'unknown=1',
  'limit=1e999',
])('a query that says nothing has status 400: %s', async text => {
  expect((await client.send('GET', `/api/links?${text}`)).status).toBe(400)
})

test('a position beyond all links is an empty page', async () => {
  expect(await client.list('?sort=oldest&after=999999999999999')).toEqual([])
  expect(await client.list('?after=0')).toEqual([])
})

describe.each(['half', 'all'])('among many links, of which %s are indexed', indexed => {
  interface Row {
    slug: string
    long_url: string
    title: string | null
    tag_keys: string[]
    deleted: boolean
  }
  let rows: Row[]

  // Of the oldest 2,000 every second one has what the newer ones lack, so the newest thousands are in vain for it.
  beforeAll(async () => {
    await pool.query(`DELETE FROM links WHERE slug LIKE 'many-%'`)
    await pool.query('DELETE FROM link_search_blocks')
    await pool.query(
      `INSERT INTO links (slug, long_url, title, tags, tag_keys, deleted_at)
       SELECT 'many-' || n, 'https://' || CASE WHEN n <= 12000 THEN 'old' ELSE 'new' END || '.example/' || n,
              CASE WHEN n <= 12000 AND n % 2 = 0 THEN 'Imported' WHEN n = 20000 THEN 'é€' END,
              CASE WHEN n % 1000 = 0 THEN '{Rare}' WHEN n % 3 = 0 THEN '{Third}' ELSE '{}' END::text[],
              CASE WHEN n % 1000 = 0 THEN '{rare}' WHEN n % 3 = 0 THEN '{third}' ELSE '{}' END::text[],
              CASE WHEN n % 5000 = 1 THEN now() END
       FROM generate_series(1, 40000) AS n`,
    )
    await pool.query(`UPDATE links SET created_at = now() - interval '1 hour'`)
    await pool.query('UPDATE link_search_state SET block = 0, links = 0')
    await indexLinks(pool)
    if (indexed === 'half') {
      await pool.query('UPDATE link_search_state SET block = block / 2')
      await pool.query('DELETE FROM link_search_blocks WHERE block >= (SELECT block FROM link_search_state)')
    }
    await pool.query('ANALYZE links, link_search_blocks')
    const result = await pool.query<Row>(
      'SELECT slug, long_url, title, tag_keys, deleted_at IS NOT NULL AS deleted FROM links ORDER BY id DESC',
    )
    rows = result.rows
  })

  const has = (text: string) => (row: Row) =>
    [row.slug, row.long_url, row.title ?? ''].some(part => part.toLowerCase().includes(text.toLowerCase()))
  const tagged = (key: string) => (row: Row) => row.tag_keys.includes(key)

  test.each<[string, Record<string, string>, (row: Row) => boolean]>([
    ['all', {}, () => true],
    ['common', { search: 'NEW.example' }, has('new.example')],
    ['old ones only, many', { search: 'imported' }, has('imported')],
    ['one', { search: 'many-777' }, has('many-777')],
    ['none', { search: 'nowhere' }, has('nowhere')],
    ['too short for the index', { search: 'é' }, has('é')],
    ['without letters', { search: '€' }, has('€')],
    ['two characters, old ones only', { search: 'ld' }, has('ld')],
    ['a rare tag', { tag: 'RARE' }, tagged('rare')],
    ['a common tag', { tag: 'third' }, tagged('third')],
    ['a tag and a text', { tag: 'third', search: 'old.' }, row => tagged('third')(row) && has('old.')(row)],
  ])('a list has every match once, in order, across its pages: %s', async (_, filter, isMatch) => {
    for (const sort of ['newest', 'oldest']) {
      const matches = rows.filter(row => !row.deleted && isMatch(row)).map(({ slug }) => slug)
      const expected = sort === 'newest' ? matches : matches.toReversed()
      const seen: string[] = []
      let next: string | undefined = `/api/links${query({ ...filter, sort, limit: '100' })}`
      for (let pages = 0; next !== undefined && pages < 8; pages++) {
        const page = await client.send('GET', next)
        seen.push(...(page.body as unknown as Row[]).map(({ slug }) => slug))
        next = page.next
      }
      if (next === undefined) expect(seen).toEqual(expected)
      else expect(seen).toEqual(expected.slice(0, seen.length))
      expect(seen.length).toBeGreaterThanOrEqual(Math.min(expected.length, 100))
    }
  })

  test('a changed link is found by its new title and target, and no longer by the old ones', async () => {
    for (const change of [{ title: 'Renamed' }, { long_url: 'https://moved.example/' }])
      await client.send('PATCH', '/api/links/many-100', change)
    await client.send('PATCH', '/api/links/many-101', { title: 'Only the title' })
    expect(await find('only the title')).toEqual(['many-101'])
    for (const search of ['RENAMED', 'moved.exam']) expect(await find(search)).toEqual(['many-100'])
    expect(await find('old.example/100')).not.toContain('many-100')
  })

  test('no page looks at more than a part of those that are not indexed, and at once at the others', async () => {
    for (const search of ['€€', '~', 'nowhere at all']) {
      const page = await client.send('GET', `/api/links${query({ search })}`)
      expect([search, page.status, page.body]).toEqual([search, 200, []])
      expect([search, page.next !== undefined]).toEqual([search, indexed === 'half'])
      expect(await find(search)).toEqual([])
    }
  })
})
