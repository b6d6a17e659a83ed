/** The list of links in every order, over every window, page by page, compared with visits counted by hand. */
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { dayMs } from '../../../apps/shared/days.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool } from '../../support/hopcount.ts'
import { isNightly } from '../../support/nightly.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import type { CountedVisit } from './counted-visits.ts'
import {
  between,
  countVisits,
  drawUniques,
  hourMs,
  makeLinks,
  quarterMs,
  recordVisits,
  startReportingApi,
} from './counted-visits.ts'

/** Uniform between 0 and 1. */
const share = fc.noBias(fc.integer({ min: 0, max: 1_000_000 })).map(n => n / 1_000_001)

let api: RunningApi
let pool: Pool
let links: Map<string, number>
let visits: CountedVisit[]
/** By link and day. */
let uniques: { linkId: number; day: number; uniques: number }[]
/** The range of the visits: the 40 days up to now. */
const end = Date.now()
const start = end - 40 * dayMs

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  // A few links have many visits, many links few or none; some have a burst on one day.
  links = await makeLinks(
    pool,
    Array.from({ length: 160 }, (_, i) => (i % 3 === 0 ? `promo-${i}` : `Link_${i}`)),
  )
  const slugs = [...links.keys()]
  const moment = fc.record({ place: share, ago: share }).map(({ place, ago }) => {
    const link = Math.floor(150 ** place)
    const burst = (link * 7) % 40
    const days = link % 4 === 0 ? burst + ago : 40 * ago ** (1 + (link % 3))
    return {
      slug: slugs[link] ?? '',
      visitedAt: Math.max(start, Math.round(end - days * dayMs - quarterMs)),
    }
  })
  const moments = fc.sample(moment, 9_000)
  visits = await recordVisits(
    pool,
    moments.map(({ slug, visitedAt }) => ({ slug, visitedAt, linkId: links.get(slug) ?? 0 })),
  )
  await drawUniques(pool)
  const { rows } = await pool.query<{ linkId: number; day: number; uniques: number }>(
    `SELECT link_id AS "linkId", (extract(epoch FROM day) * 1000)::bigint AS day, uniques FROM link_days`,
  )
  uniques = rows
  await pool.query('ANALYZE')
  api = await startReportingApi(url)
}, 120_000)

interface Entry {
  slug: string
  visits: number
  humans: number
  bots: number
  previews: number
  uniques: number | undefined
  last_visit: string | null
  growth?: number
}

type Sort = 'visits' | 'humans' | 'uniques' | 'last_visit' | 'growth'

async function allPages(query: URLSearchParams): Promise<Entry[]> {
  const limit = Number(query.get('limit'))
  const entries: Entry[] = []
  for (let path: string | undefined = `/stats?${query}`; path !== undefined; ) {
    const response: Response = await fetch(`${api.origin}${path}`)
    const page = (await response.json()) as Entry[]
    expect({ path, status: response.status, page: response.status === 200 ? '' : page }).toEqual({
      path,
      status: 200,
      page: '',
    })
    entries.push(...page)
    path = /^<(\/[^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
    if (path !== undefined) expect(page).toHaveLength(limit)
  }
  // Absent and undefined are the same.
  return entries.map(entry => ({ ...entry, uniques: entry.uniques }))
}

/** All links that belong in the list, in order. */
function listByHand(
  sort: Sort,
  window: { from: number; to: number; nominalTo: number } | undefined,
  matches: ((slug: string) => boolean) | undefined,
): Partial<Entry>[] {
  // A list sorted by unique visitors covers whole UTC days.
  const grain = sort === 'uniques' ? dayMs : 1
  const from = Math.floor((window?.from ?? start) / grain) * grain
  const to = Math.ceil((window?.to ?? end + dayMs) / grain) * grain
  const withUniques = window === undefined || (from % dayMs === 0 && to % dayMs === 0)
  const length = (window?.nominalTo ?? 0) - from
  const entries = [...links].map(([slug, linkId]) => {
    const own = visits.filter(visit => visit.linkId === linkId)
    const inWindow = between(own, from, to)
    const last = Math.max(0, ...own.map(({ visitedAt }) => visitedAt))
    const days = uniques.filter(row => row.linkId === linkId && row.day > from - dayMs && row.day < to)
    const growth = inWindow.length - between(own, from - length, from).length
    return {
      linkId,
      last,
      slug,
      ...countVisits(inWindow),
      uniques: withUniques ? days.reduce((sum, day) => sum + day.uniques, 0) : undefined,
      last_visit: last === 0 ? null : new Date(last).toISOString(),
      ...(sort === 'growth' && { growth }),
    }
  })
  const value = (entry: (typeof entries)[number]) => (sort === 'last_visit' ? entry.last : (entry[sort] ?? 0))
  return entries
    .filter(({ slug, visits }) => (matches === undefined ? visits > 0 : matches(slug)))
    .sort((a, b) => value(b) - value(a) || a.linkId - b.linkId)
    .map(({ linkId, last, ...entry }) => entry)
}

const sorts = fc.constantFrom<Sort[]>('visits', 'humans', 'uniques', 'last_visit', 'growth')
const limits = fc.oneof(fc.integer({ min: 3, max: 12 }), fc.integer({ min: 13, max: 100 }))

describe('a list of links', () => {
  test('over any past period, in any order, is what counting each visit gives', async () => {
    const period = fc
      .record({
        from: share,
        length: share,
        grain: fc.constantFrom(1, quarterMs, hourMs, dayMs),
      })
      .map(({ from, length, grain }) => {
        const begin = Math.floor((start + from * 39 * dayMs) / grain) * grain
        return {
          from: begin,
          to: begin + Math.max(1, Math.floor((length ** 3 * 30 * dayMs) / grain) * grain),
        }
      })
    await fc.assert(
      fc.asyncProperty(period, sorts, limits, async ({ from, to }, sort, limit) => {
        const query = new URLSearchParams({
          limit: String(limit),
          sort,
          from: new Date(from).toISOString(),
          to: new Date(to).toISOString(),
        })
        const first = Math.floor(from / quarterMs) * quarterMs
        const last = Math.ceil(to / quarterMs) * quarterMs
        const expected = listByHand(sort, { from: first, to: last, nominalTo: last }, undefined)
        expect(await allPages(query)).toMatchObject(expected)
      }),
      { numRuns: isNightly ? 80 : 40 },
    )
  }, 180_000)

  test('over a window up to now, in any order, is what counting each visit gives', async () => {
    const windows = { '24h': dayMs, '7d': 7 * dayMs, '30d': 30 * dayMs }
    for (const [window, length] of Object.entries(windows)) {
      for (const sort of ['visits', 'humans', 'uniques', 'last_visit', 'growth'] as const) {
        for (const limit of [4, 10, 100]) {
          let expected: Partial<Entry>[]
          let pages: Entry[]
          let quarter: number
          do {
            // The start of a window moves with each quarter hour.
            quarter = Math.floor(Date.now() / quarterMs)
            const from = Math.floor((Date.now() - length) / quarterMs) * quarterMs
            const nominalTo = Math.ceil(Date.now() / quarterMs) * quarterMs
            const to = Math.ceil(nominalTo / dayMs) * dayMs
            expected = listByHand(sort, { from, to, nominalTo }, undefined)
            pages = await allPages(new URLSearchParams({ limit: String(limit), sort, window }))
          } while (quarter !== Math.floor(Date.now() / quarterMs))
          expect(pages).toMatchObject(expected)
          expect(pages).toHaveLength(expected.length)
        }
      }
    }
  }, 180_000)

  test('over all time, in any order, is what counting each visit gives', async () => {
    for (const sort of ['visits', 'humans', 'uniques', 'last_visit'] as const) {
      for (const limit of [3, 10, 37, 100]) {
        const pages = await allPages(new URLSearchParams({ limit: String(limit), sort }))
        const expected = listByHand(sort, undefined, undefined)
        expect(pages).toMatchObject(expected)
        expect(pages).toHaveLength(expected.length)
      }
    }
  })

  test('searched by the start of a slug or by target includes links without visits', async () => {
    const from = start + 20 * dayMs
    const window = {
      from: Math.floor(from / quarterMs) * quarterMs,
      to: Math.ceil((from + 3 * dayMs) / quarterMs) * quarterMs,
    }
    for (const sort of ['visits', 'humans', 'uniques', 'last_visit', 'growth'] as const) {
      for (const search of ['promo-', 'Link_1', 'link_1', 'Link_11', 'https://example.com/promo-9', 'zzz']) {
        const period = { from: new Date(window.from).toISOString(), to: new Date(window.to).toISOString() }
        const query = new URLSearchParams({ limit: '9', sort, search, ...period })
        const matches = (slug: string) => slug.startsWith(search) || `https://example.com/${slug}` === search
        const expected = listByHand(sort, { ...window, nominalTo: window.to }, matches)
        const pages = await allPages(query)
        expect(pages).toMatchObject(expected)
        expect(pages).toHaveLength(expected.length)
      }
    }
    const overall = await allPages(new URLSearchParams({ limit: '100', search: 'promo' }))
    expect(overall).toMatchObject(listByHand('visits', undefined, slug => slug.startsWith('promo')))
    expect(overall.some(({ visits, last_visit }) => visits === 0 && last_visit === null)).toBe(true)
  })

  test('searched for impossible links is empty', async () => {
    const texts = ['a b', "'; DROP TABLE links; --", 'https://', 'x'.repeat(2_048), '\u{1F600}', '%', '*']
    for (const text of ['%00', 'a%00', '%ED%A0%80', 'https://a/%00', ...texts.map(encodeURIComponent)]) {
      const response = await fetch(`${api.origin}/stats?search=${text}`)
      expect([text, response.status, await response.json()]).toEqual([text, 200, []])
    }
  })

  test('shows each link’s human visits of the last seven days', async () => {
    await sleep(700)
    const response = await fetch(`${api.origin}/stats?limit=20&sparkline=true`)
    const list = (await response.json()) as { slug: string; sparkline: number[] }[]
    const today = Math.floor(Date.now() / dayMs) * dayMs
    for (const { slug, sparkline } of list) {
      const people = visits.filter(visit => visit.slug === slug && visit.class === 'human')
      const days = Array.from({ length: 7 }, (_, i) => today - (6 - i) * dayMs)
      expect({ slug, sparkline }).toEqual({
        slug,
        sparkline: days.map(day => between(people, day, day + dayMs).length),
      })
    }
    expect(list).toHaveLength(20)
  })

  test('says of each link whether it redirects', async () => {
    const [, disabled = '', deleted = '', exhausted = ''] = links.keys()
    await pool.query(`UPDATE links SET disabled_at = now() WHERE slug = $1`, [disabled])
    await pool.query(`UPDATE links SET deleted_at = now() WHERE slug = $1`, [deleted])
    await pool.query(`UPDATE links SET max_visits = 1 WHERE slug = $1`, [exhausted])
    for (const sort of ['visits', 'last_visit']) {
      const response = await fetch(`${api.origin}/stats?limit=97&sort=${sort}`)
      const list = (await response.json()) as { slug: string; state: string }[]
      const states = Object.fromEntries(list.map(({ slug, state }) => [slug, state]))
      expect(states).toMatchObject({ [disabled]: 'disabled', [deleted]: 'deleted', [exhausted]: 'exhausted' })
      expect(new Set(Object.values(states))).toEqual(new Set(['disabled', 'deleted', 'exhausted', 'active']))
    }
  })
})
