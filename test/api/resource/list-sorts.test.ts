import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { orderByVisits } from '../../../apps/api/resource/list/list-orders.ts'
import { readPage } from '../../../apps/api/resource/list/list-page.ts'
import type { TopSort } from '../../../apps/api/stats/top-links/ranked-page.ts'
import { readTopWindow } from '../../../apps/api/stats/top-links/top-window.ts'
import { databaseOn } from '../../../apps/shared/database/query-builder.ts'
import { openPool, startApi } from '../../support/hopcount.ts'
import { makeKey } from '../../support/keys.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import type { LinkClient } from './link-client.ts'
import { linkClient } from './link-client.ts'

let pool: Pool
let url: string
let client: LinkClient

interface Row {
  id: number
  slug: string
  tag_keys: string[]
  visits: number
  uniques: number
  last_visit: number
  week: number
  before: number
}
/** All that are not deleted. */
let rows: Row[]

/** Every third link has visits, and many have equally many. */
beforeAll(async () => {
  url = (await createTestDatabase()).url
  pool = openPool(url)
  client = linkClient((await startApi({ databaseUrl: url })).origin)
  await pool.query(
    `INSERT INTO links (slug, long_url, tags, tag_keys, deleted_at)
     SELECT 'link-' || n, 'https://example.com/', tags, tags, CASE WHEN n % 50 = 1 THEN now() END
     FROM generate_series(1, 1400) AS n,
          LATERAL (SELECT CASE WHEN n % 5 = 0 THEN '{few}' ELSE '{most}' END::text[] AS tags) AS tagged`,
  )
  // Not at the edges of the week.
  await pool.query(
    `INSERT INTO link_days (link_id, day, visits, bots, previews, uniques)
     SELECT id, (now() AT TIME ZONE 'UTC')::date - ago, 2 + id * CASE WHEN ago < 8 THEN 7 ELSE 31 END % 17, 0, 0, 1 + id % 2
     FROM links, unnest('{1,2,3,5,9,10}'::integer[]) AS ago WHERE id % 3 = 0 AND (ago < 8 OR id % 2 = 0)`,
  )
  await pool.query(
    `INSERT INTO link_totals (link_id, visits, uniques, first_visit, last_visit)
     SELECT link_id, sum(visits), sum(uniques), now() - interval '20 days', now() - link_id % 4000 * interval '100 s'
     FROM link_days GROUP BY link_id`,
  )
  await pool.query(
    `INSERT INTO link_quarters (link_id, quarter, visits)
     SELECT coalesce(link_id, 0), date_bin('15 min', last_visit, 'epoch'), count(*) FROM link_totals
     GROUP BY GROUPING SETS ((link_id, 2), (2))`,
  )
  await pool.query('ANALYZE')
  const result = await pool.query<Row>(
    `SELECT id, slug, tag_keys, coalesce(total.visits, 0) AS visits, coalesce(total.uniques, 0) AS uniques,
            coalesce(floor(extract(epoch FROM last_visit) * 1000), 0)::bigint AS last_visit,
            coalesce(week, 0)::bigint AS week, coalesce(before, 0)::bigint AS before
     FROM links LEFT JOIN link_totals AS total ON total.link_id = id
       LEFT JOIN (SELECT link_id, sum(visits) FILTER (WHERE day > now() - interval '7 days') AS week,
                         sum(visits) FILTER (WHERE day < now() - interval '7 days') AS before
                  FROM link_days GROUP BY link_id) AS days ON days.link_id = id
     WHERE deleted_at IS NULL`,
  )
  rows = result.rows
}, 120_000)

const isMost = (row: Row) => row.tag_keys.includes('most')

function ranked(valueIn: (row: Row) => number, isMatch: (row: Row) => boolean = () => true): string[] {
  return rows
    .filter(isMatch)
    .map(row => ({ ...row, value: Math.max(0, valueIn(row)) }))
    .sort((a, b) => b.value - a.value || (a.value === 0 ? b.id - a.id : a.id - b.id))
    .map(({ slug }) => slug)
}

interface Page<Listed> {
  links: Listed[]
  prev: string | undefined
  next: string | undefined
}

/** The links of all pages, and of all pages backwards from the last. */
async function everyPage<Listed>(
  read: (position: string | undefined, isBack: boolean) => Promise<Page<Listed>>,
) {
  const on: Listed[] = []
  const back: Listed[] = []
  let position: string | undefined
  for (let isBack = false; ; ) {
    const page = await read(position, isBack)
    if (!isBack) on.push(...page.links)
    if (page.next === undefined) isBack = true
    if (isBack) back.unshift(...page.links)
    position = isBack ? page.prev : page.next
    if (position === undefined) return { on, back }
  }
}

function firstDifference(listed: string[], expected: string[]): unknown {
  const length = Math.max(listed.length, expected.length)
  const place = Array.from({ length }, (_, i) => i).find(i => listed[i] !== expected[i])
  if (place === undefined) return undefined
  return { place, listed: listed.slice(place, place + 5), expected: expected.slice(place, place + 5) }
}

describe('every link is in a list by', () => {
  test.each<[string, (row: Row) => number]>([
    ['sort=visits', row => row.visits],
    ['sort=visits&window=7d', row => row.week],
    ['sort=uniques', row => row.uniques],
    ['sort=last_visit&window=7d', row => row.last_visit],
    ['sort=growth&window=7d', row => row.week - row.before],
  ])('visits, once and in order, in both directions: %s', async (query, valueIn) => {
    const expected = ranked(valueIn, isMost)
    const { on, back } = await everyPage(async path => {
      const page = await client.send('GET', path ?? `/api/links?limit=100&tag=most&${query}`)
      expect(page.status).toBe(200)
      return { ...page, links: (page.body as unknown as Row[]).map(({ slug }) => slug) }
    })
    expect(firstDifference(on, expected)).toBeUndefined()
    // Going back ends with a full first page, which may have links of the second.
    expect(firstDifference([...new Set(back)], expected)).toBeUndefined()
  })

  test.each<[TopSort, '7d' | undefined, (row: Row) => number]>([
    ['visits', undefined, row => row.visits],
    ['visits', '7d', row => row.week],
    ['uniques', undefined, row => row.uniques],
    ['last_visit', '7d', row => row.last_visit],
    ['growth', '7d', row => row.week - row.before],
  ])('visits, where they are too many to look at each: %s %s', async (sort, window, valueIn) => {
    const expected = ranked(valueIn, isMost)
    const filter = { tagKeys: ['most'], state: undefined }
    const ranking = {
      sort,
      window: readTopWindow({ ...(window && { window }), tz: 'UTC', sort }, new Date()),
    }
    const order = await orderByVisits(pool, databaseOn(pool), filter, ranking, undefined)
    const slugs = new Map(rows.map(({ id, slug }) => [id, slug]))
    const { on, back } = await everyPage(async (position, isBack) => {
      const [value = 0, linkId = 0] = position?.split('.').map(Number) ?? []
      const place = position === undefined ? undefined : { value, linkId }
      const page = await readPage(order, {
        limit: 100,
        after: isBack ? undefined : place,
        before: isBack ? place : undefined,
      })
      return { ...page, links: page.ids.map(id => slugs.get(id) ?? '') }
    })
    expect(firstDifference(on, expected)).toBeUndefined()
    expect(firstDifference([...new Set(back)], expected)).toBeUndefined()
  })
})

test('a list shows what it is sorted by', async () => {
  const first = async (query: string) =>
    (await client.send('GET', `/api/links?limit=1&${query}`)).body as unknown as (Row & { growth: number })[]
  const find = (slug: string | undefined) => rows.find(row => row.slug === slug)
  const [byVisits] = await first('sort=visits')
  expect(byVisits?.visits).toBe(find(byVisits?.slug)?.visits)
  const [inWeek] = await first('sort=visits&window=7d')
  expect(inWeek?.visits).toBe(find(inWeek?.slug)?.week)
  const [byGrowth] = await first('sort=growth&window=7d')
  const { week = 0, before = 0 } = find(byGrowth?.slug) ?? {}
  expect(byGrowth?.growth).toBe(week - before)
  const [newest] = await first('window=7d')
  expect(newest).toMatchObject({ slug: 'link-1400', visits: 0 })
  const [byUniques] = await first('sort=uniques&window=7d')
  expect(byUniques?.uniques).toBeGreaterThan(0)
})

test.each([
  ['growth without a window', 'sort=growth', /window/],
  ['growth of all time', 'sort=growth&window=all', /window/],
  ['a position of another order', 'sort=visits&after=12', /sorted in another way/],
  ['a position among visits', 'after=7.12', /sorted in another way/],
])('%s has status 400', async (_, query, detail) => {
  const { status, body } = await client.send('GET', `/api/links?${query}`)
  expect([status, body.detail]).toEqual([400, expect.stringMatching(detail)])
})

test('a key that may not read statistics gets no visits, and no order by them', async () => {
  const { origin } = await startApi({ databaseUrl: url, env: { ACCESS: 'keys' } })
  const { key } = await makeKey(pool, ['links:read'])
  const withKey = linkClient(origin)
  const send = (query: string) =>
    withKey.send('GET', `/api/links?${query}`, undefined, { authorization: `Bearer ${key}` })
  for (const sort of ['visits', 'uniques', 'last_visit', 'growth&window=7d'])
    expect((await send(`sort=${sort}`)).status).toBe(403)
  const list = await send('sparkline=true&window=7d&limit=1')
  expect(list.status).toBe(200)
  expect(list.headers.get('x-stats-as-of')).toBeNull()
  for (const name of ['visits', 'humans', 'uniques', 'last_visit', 'sparkline'])
    expect(list.body).not.toMatchObject([{ [name]: expect.anything() }])
})
