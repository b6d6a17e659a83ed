import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { Pool } from 'pg'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createFrequentSlugs } from '../../../apps/api/orphans/frequent-slugs.ts'
import { addOrphanVisits, maxSlugsPerDay } from '../../../apps/api/orphans/orphan-queries.ts'
import { dayNumber, dayText } from '../../../apps/shared/days.ts'
import { forgetOrphans } from '../../../apps/worker/maintenance/retention/forget-orphans.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, shorten, startApi, visit } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { answerTo, expectProblem, requestBytes } from '../requests.ts'

/** Requests within this time share an answer. */
const sharedForMs = 600

let databaseUrl: string
let api: RunningApi
let pool: Pool

beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
  api = await startApi({ databaseUrl })
})

// Each test waits until what it has asked for is written out.
beforeEach(async () => {
  await pool.query('TRUNCATE orphan_visits')
  await sleep(sharedForMs)
})

interface Orphans {
  from: string
  to: string
  requests: number
  slugs: { slug: string; requests: number; last_day: string }[]
  others: number
}

async function orphans(query = ''): Promise<Orphans> {
  const text = await waitUntil(
    async () => {
      const answer = await fetch(`${api.origin}/stats/orphans${query}`)
      const text = await answer.text()
      if (answer.status === 200) return text
      throw new Error(text)
    },
    // The process may be busy with what other tests do.
    { what: 'GET /stats/orphans is answered', deadlineMs: 10_000, everyMs: 100 },
  )
  return JSON.parse(text) as Orphans
}

async function request(slug: string, times = 1, method = 'GET'): Promise<void> {
  for (let i = 0; i < times; i++) {
    const answer = await fetch(`${api.origin}/${slug}`, { method, redirect: 'manual' })
    await answer.arrayBuffer()
    expect(answer.status).toBe(404)
  }
}

/** The UTC day that many days ago. */
function day(daysAgo = 0): string {
  return dayText(dayNumber(Date.now()) - daysAgo)
}

async function add(daysAgo: number, requests: Record<string, number>, others = 0): Promise<void> {
  await addOrphanVisits(pool, day(daysAgo), { requests: new Map(Object.entries(requests)), others })
}

async function stored(daysAgo = 0): Promise<{ slugs: Map<string, number>; others: number }> {
  const { rows } = await pool.query<{ slug: string; requests: number }>(
    'SELECT slug, requests FROM orphan_visits WHERE day = $1',
    [day(daysAgo)],
  )
  const slugs = new Map(rows.map(row => [row.slug, row.requests]))
  const others = slugs.get('') ?? 0
  slugs.delete('')
  return { slugs, others }
}

describe('requests for slugs that are no link', () => {
  test('are counted, most wanted first; HEAD, links and what can be no slug are not', async () => {
    const slug = await shorten(api.origin)
    await request('menu-summer', 5)
    await request('typo', 2)
    await request('Typo', 3)
    await request('typo', 2, 'HEAD')
    await request('wp-login.php', 4)
    await visit(api.origin, slug)
    const answer = await waitUntil(
      async () => {
        const answer = await orphans()
        return answer.requests >= 10 && answer
      },
      { what: 'they are written out' },
    )
    expect(answer).toEqual({
      from: `${day(6)}T00:00:00.000Z`,
      to: `${day(-1)}T00:00:00.000Z`,
      requests: 10,
      slugs: [
        { slug: 'menu-summer', requests: 5, last_day: day() },
        { slug: 'Typo', requests: 3, last_day: day() },
        { slug: 'typo', requests: 2, last_day: day() },
      ],
      others: 0,
    })
  })

  test('are written out when the process stops', async () => {
    const other = await startApi({ databaseUrl })
    for (let i = 0; i < 7; i++) await fetch(`${other.origin}/last-words`)
    expect((await other.process.stop()).code).toBe(0)
    expect((await stored()).slugs.get('last-words')).toBe(7)
  })

  test('are those of the days asked for; what is not listed is summed up', async () => {
    await add(0, { today: 5, both: 2 })
    await add(3, { both: 4, tie: 5 }, 50)
    await add(30, { old: 1_000 })
    expect(await orphans('?limit=2')).toMatchObject({
      requests: 66,
      slugs: [
        { slug: 'both', requests: 6, last_day: day() },
        { slug: 'tie', requests: 5, last_day: day(3) },
      ],
      others: 55,
    })
    expect(await orphans(`?from=${day(30)}&to=${day(0)}`)).toEqual({
      from: `${day(30)}T00:00:00.000Z`,
      to: `${day(0)}T00:00:00.000Z`,
      requests: 1_059,
      slugs: [
        { slug: 'old', requests: 1_000, last_day: day(30) },
        { slug: 'tie', requests: 5, last_day: day(3) },
        { slug: 'both', requests: 4, last_day: day(3) },
      ],
      others: 50,
    })
    expect(await orphans(`?from=${day(400)}&to=${day(300)}`)).toMatchObject({
      requests: 0,
      slugs: [],
      others: 0,
    })
    for (const query of ['from=tomorrow', `from=${day(0)}&to=${day(1)}`, 'limit=0', 'limit=101', 'tz=UTC'])
      expectProblem(await answerTo(api.port, requestBytes('GET', `/stats/orphans?${query}`)), 400)
  })

  test('are no longer listed when the slug has become a link', async () => {
    await add(0, { 'was-missing': 9, missing: 3 })
    await shorten(api.origin, { slug: 'was-missing' })
    expect(await orphans()).toMatchObject({
      requests: 12,
      slugs: [{ slug: 'missing', requests: 3 }],
      others: 9,
    })
  })

  test('have an answer that need not be sent again', async () => {
    await add(0, { missing: 3 })
    const first = await fetch(`${api.origin}/stats/orphans`)
    expect(first.headers.get('x-stats-as-of')).toMatch(/Z$/)
    const etag = first.headers.get('etag') ?? ''
    const again = await fetch(`${api.origin}/stats/orphans`, { headers: { 'if-none-match': etag } })
    expect(again.status).toBe(304)
  })

  test('are forgotten after 90 days', async () => {
    await add(0, { today: 1 })
    await add(89, { kept: 1 })
    await add(92, { gone: 1, 'gone-too': 1 }, 7)
    expect(await forgetOrphans(pool)).toBe(3)
    const { rows } = await pool.query('SELECT slug FROM orphan_visits ORDER BY slug')
    expect(rows).toEqual([{ slug: 'kept' }, { slug: 'today' }])
  })
})

describe('a stream of made-up slugs', () => {
  test('is counted, and fills neither table nor list; a slug that is wanted often is found in it', async () => {
    // From several processes, as it comes; a misprinted link is asked for meanwhile.
    const other = await startApi({ databaseUrl })
    const made = 6_000
    let asked = 0
    const work = Array.from({ length: 20 }, async (_, worker) => {
      for (let i = worker; i < made; i += 20) {
        const { origin } = i % 2 === 0 ? api : other
        const slug = i % 20 === 7 ? 'misprinted' : `made-up-${i}`
        await (await fetch(`${origin}/${slug}`)).arrayBuffer()
        asked++
      }
    })
    await Promise.all(work)
    await waitUntil(async () => (await orphans()).requests === asked, { what: 'all are written out' })
    const { slugs, others } = await stored()
    expect(slugs.size).toBeLessThanOrEqual(maxSlugsPerDay)
    const misprinted = made / 20
    expect(slugs.get('misprinted')).toBeLessThanOrEqual(misprinted)
    expect(slugs.get('misprinted')).toBeGreaterThanOrEqual(misprinted - others / (maxSlugsPerDay + 1))
    expect((await orphans('?limit=1')).slugs[0]?.slug).toBe('misprinted')
  })

  test('leaves of any counts, in any order, from any number of processes, what the bound says', async () => {
    const k = maxSlugsPerDay
    const truth = new Map<string, number>()
    let total = 0
    const portions = fc.sample(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 4_000 }), fc.integer({ min: 1, max: 30 })), {
        minLength: 500,
        maxLength: 900,
      }),
      { numRuns: 24, seed: 11 },
    )
    const adding = portions.map((portion, i) => {
      const requests = new Map<string, number>()
      for (const [name, times] of portion) requests.set(`s${name}`, (requests.get(`s${name}`) ?? 0) + times)
      requests.set('wanted', 40)
      for (const [slug, times] of requests) truth.set(slug, (truth.get(slug) ?? 0) + times)
      const others = i * 3
      total += [...requests.values()].reduce((a, b) => a + b, others)
      return { requests, others }
    })
    // Four at a time, as processes do.
    for (let i = 0; i < adding.length; i += 4)
      await Promise.all(adding.slice(i, i + 4).map(counts => addOrphanVisits(pool, day(), counts)))
    const { slugs, others } = await stored()
    expect(slugs.size).toBeLessThanOrEqual(k)
    expect([...slugs.values()].reduce((a, b) => a + b, others)).toBe(total)
    for (const [slug, times] of truth) {
      const counted = slugs.get(slug) ?? 0
      expect(counted).toBeLessThanOrEqual(times)
      expect(counted).toBeGreaterThanOrEqual(times - others / (k + 1))
    }
    expect(slugs.has('wanted')).toBe(true)
  })
})

describe('frequent slugs', () => {
  test('are within the bound for any stream, and nothing is lost', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(
          fc.integer({ min: 0, max: 20 }).map(n => `s${Math.min(n, 12)}`),
          { maxLength: 300 },
        ),
        (maxSlugs, stream) => {
          const frequent = createFrequentSlugs(maxSlugs)
          const truth = new Map<string, number>()
          for (const slug of stream) {
            frequent.count(slug)
            truth.set(slug, (truth.get(slug) ?? 0) + 1)
          }
          const { requests, others } = frequent.take()
          expect(requests.size).toBeLessThanOrEqual(maxSlugs)
          expect([...requests.values()].reduce((a, b) => a + b, others)).toBe(stream.length)
          for (const [slug, times] of truth) {
            const counted = requests.get(slug) ?? 0
            expect(counted).toBeLessThanOrEqual(times)
            expect(counted).toBeGreaterThanOrEqual(times - others / (maxSlugs + 1))
          }
          expect(frequent.take()).toEqual({ requests: new Map(), others: 0 })
        },
      ),
    )
  })

  test('are exact while there are few', () => {
    const frequent = createFrequentSlugs(3)
    for (const slug of ['a', 'b', 'a', 'c', 'a']) frequent.count(slug)
    expect(frequent.take()).toEqual({
      requests: new Map([
        ['a', 3],
        ['b', 1],
        ['c', 1],
      ]),
      others: 0,
    })
  })
})
