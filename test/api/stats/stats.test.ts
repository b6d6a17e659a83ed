import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { Pool } from 'pg'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newProducerId } from '../../../apps/api/visits/producer-folder.ts'
import { dayMs } from '../../../apps/shared/days.ts'
import { openVisitKnowledge } from '../../../apps/worker/recording/visit-knowledge.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { linkStats, openPool, shorten, startApi, startWorker, visit } from '../../support/hopcount.ts'
import { isNightly } from '../../support/nightly.ts'
import { anyTime, recordBatches } from '../../support/record-visits.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { answerTo, expectProblem, requestBytes } from '../requests.ts'

const hourMs = 3_600_000

let databaseUrl: string
let api: RunningApi
let pool: Pool

beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
  api = await startApi({ databaseUrl })
})

beforeEach(async () => {
  await pool.query(
    'TRUNCATE links, visits, link_totals, link_quarters, link_minutes, link_days, link_breakdowns, breakdown_deltas, visitors, ledger, ledger_watermarks, set_aside_batches',
  )
})

/** Inserts links directly, oldest first; returns their ids. */
async function makeLinks(slugs: string[]): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO links (slug, long_url) SELECT slug, 'https://example.com/' || slug
     FROM unnest($1::text[]) WITH ORDINALITY AS link (slug, place) ORDER BY place RETURNING id`,
    [slugs],
  )
  return rows.map(row => row.id)
}

/** Records visits as a worker does, and waits out the 600 ms for which responses are shared. */
async function recordVisits(visits: { linkId: number; visitedAt: number }[]): Promise<void> {
  const decoded = visits.map(visit => ({ ...visit, referrer: undefined, userAgent: undefined }))
  // At any time: the clocks of all zones and years are tested.
  const knowledge = { ...(await openVisitKnowledge(pool)), timeBounds: anyTime }
  await recordBatches(pool, knowledge, [{ producerId: newProducerId(), seq: 1, visits: decoded }])
  await sleep(700)
}

interface TopLink {
  slug: string
  long_url: string
  visits: number
  last_visit: string
}

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${api.origin}${path}`, { headers })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

async function topLinks(limit: number, window = 'all'): Promise<TopLink[]> {
  const { status, text } = await get(`/stats?limit=${limit}&window=${window}`)
  if (status !== 200) throw new Error(text)
  return JSON.parse(text) as TopLink[]
}

/** All pages, from the first to the one without a next one. */
async function allPages(path: string): Promise<TopLink[][]> {
  const pages: TopLink[][] = []
  for (let next: string | undefined = path; next !== undefined && pages.length < 1_000; ) {
    const { status, headers, text } = await get(next)
    expect(status).toBe(200)
    pages.push(JSON.parse(text) as TopLink[])
    next = /^<(\/[^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1]
  }
  return pages
}

describe('the most visited links', () => {
  test('are an array, most visited first, and the oldest first of equal ones', async () => {
    const [a = 0, b = 0, c = 0] = await makeLinks(['a', 'b', 'c', 'never-visited'])
    const at = Date.UTC(2026, 0, 1, 12)
    await recordVisits([
      { linkId: c, visitedAt: at },
      { linkId: b, visitedAt: at + 1 },
      { linkId: b, visitedAt: at + 3 },
      { linkId: b, visitedAt: at + 2 },
      { linkId: a, visitedAt: at + 4 },
    ])
    const entry = (slug: string, visits: number, lastVisit: string) => ({
      slug,
      short_url: `${api.origin}/${slug}`,
      long_url: `https://example.com/${slug}`,
      // A client without a user agent is not a browser.
      ...{ visits, humans: 0, bots: visits, previews: 0, uniques: 0 },
      last_visit: `2026-01-01T12:00:${lastVisit}Z`,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      state: 'active',
    })
    expect(await topLinks(10)).toEqual([
      entry('b', 3, '00.003'),
      entry('a', 1, '00.004'),
      entry('c', 1, '00.000'),
    ])
    expect(await topLinks(1)).toHaveLength(1)
  })

  test('are ten by default, and none without visits', async () => {
    expect(await topLinks(11)).toEqual([])
    const ids = await makeLinks(Array.from({ length: 12 }, (_, i) => `link-${i}`))
    await recordVisits(ids.map(linkId => ({ linkId, visitedAt: Date.now() })))
    const { text, headers } = await get('/stats')
    expect(JSON.parse(text)).toHaveLength(10)
    expect(headers.get('link')).toMatch(/^<\/stats\?limit=10&window=all&after=\d+\.\d+>; rel="next"$/)
  })

  test.each(['all', '30d'])(
    'are on exactly one page each, however many are equal: window %s, any limit',
    async window => {
      const counts = fc.sample(fc.oneof(fc.constantFrom(1, 1, 1, 2, 3), fc.integer({ min: 1, max: 300 })), {
        numRuns: isNightly ? 300 : 75,
        seed: 7,
      })
      const slugs = counts.map((_, i) => `link-${i}`)
      const ids = await makeLinks(slugs)
      const now = Date.now()
      await recordVisits(
        counts.flatMap((count, i) =>
          Array.from({ length: count }, (_, n) => ({ linkId: ids[i] ?? 0, visitedAt: now - n * 60_000 })),
        ),
      )
      const expected = counts
        .map((visits, i) => ({ slug: slugs[i], visits, place: i }))
        .sort((a, b) => b.visits - a.visits || a.place - b.place)
        .map(({ slug, visits }) => ({ slug, visits }))

      for (const limit of [1, 2, 7, 10, 49, 50, 75, 99, 100]) {
        const pages = await allPages(`/stats?limit=${limit}&window=${window}`)
        expect(pages.flat().map(({ slug, visits }) => ({ slug, visits }))).toEqual(expected)
        expect(pages.slice(0, -1).every(page => page.length === limit)).toBe(true)
      }
    },
  )

  test('of a window are the links visited within it, with their visits within it', async () => {
    const [a = 0, b = 0] = await makeLinks(['a', 'b'])
    const now = Date.now()
    const ago = (linkId: number, days: number) => ({ linkId, visitedAt: now - days * dayMs })
    await recordVisits([
      ...[0, 0.5, 3, 20, 60].map(days => ago(a, days)),
      ...[2, 4, 6, 8, 10, 400].map(days => ago(b, days)),
    ])
    const visitsOf = async (window: string) =>
      (await topLinks(10, window)).map(({ slug, visits }) => [slug, visits])
    expect(await visitsOf('24h')).toEqual([['a', 2]])
    expect(await visitsOf('7d')).toEqual([
      ['a', 3],
      ['b', 3],
    ])
    expect(await visitsOf('30d')).toEqual([
      ['b', 5],
      ['a', 4],
    ])
    expect(await visitsOf('all')).toEqual([
      ['b', 6],
      ['a', 5],
    ])
  })

  test.each([
    ['limit=1e9', 'limit'],
    ['limit=101', 'limit'],
    ['limit=0', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['window=1y', 'window'],
    ['window=ALL', 'window'],
    ['after=abc', 'after'],
    ['after=1', 'after'],
    ['after=-1.1', 'after'],
    ['after=1.1%20OR%201=1', 'after'],
    ['after=99999999999999999999.1', 'after'],
    ['sort=asc', 'sort'],
    ['sort=growth', 'sort'],
    ['window=24h&from=2026-01-01', 'window'],
    ['from=2026-01-02&to=2026-01-01', 'from'],
    ['from=2020-01-01', 'from'],
    ['to=tomorrow', 'to'],
    ['tz=nowhere&from=2026-01-01', 'tz'],
    ['search=', 'search'],
    ['sparkline=2', 'sparkline'],
    ['after=m1', 'after'],
    ['__proto__=1', '__proto__'],
  ])('can not be asked for with ?%s', async (query, parameter) => {
    const problem = expectProblem(await answerTo(api.port, requestBytes('GET', `/stats?${query}`)), 400)
    expect(problem.errors?.map(error => error.pointer)).toEqual([`#/${parameter}`])
  })

  test.each(['1.1', '0.0', '9999999999999999.9999999999999999'])(
    'can be paged from a position at which no page ended: %s',
    async after => {
      expect((await get(`/stats?after=${after}`)).status).toBe(200)
    },
  )
})

describe('a response that a client already has', () => {
  test('is not sent again until something changes', async () => {
    const [linkId = 0] = await makeLinks(['a'])
    await recordVisits([{ linkId, visitedAt: Date.now() }])
    for (const path of ['/stats?limit=12', '/stats/a?to=2099-01-01&from=2098-12-01']) {
      const first = await get(path)
      const etag = first.headers.get('etag') ?? ''
      expect(etag).toMatch(/^"[\w-]{20,}"$/)
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await get(path, { 'if-none-match': known })
        expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag])
        expect(again.headers.get('x-stats-as-of')).not.toBeNull()
      }
      expect((await get(path, { 'if-none-match': '"other"' })).status).toBe(200)

      await recordVisits([{ linkId, visitedAt: Date.now() }])
      const changed = await waitUntil(
        async () => {
          const answer = await get(path, { 'if-none-match': etag })
          return answer.status === 200 && answer
        },
        { what: 'the new visit is in the answer' },
      )
      expect(changed.headers.get('etag')).not.toBe(etag)
      expect(changed.text).not.toBe(first.text)
    }
  })

  test('is never an error', async () => {
    const first = await get('/stats/unknown')
    expect([first.status, first.headers.get('etag')]).toEqual([404, null])
    expect((await get('/stats/unknown', { 'if-none-match': '*' })).status).toBe(404)
    expect((await get('/stats?limit=0', { 'if-none-match': '*' })).status).toBe(400)
  })
})

test('a response says how many visits are not yet counted, and up to when it is complete', async () => {
  const installation = { databaseUrl: (await createTestDatabase()).url }
  const own = await startApi(installation)
  const slug = await shorten(own.origin)
  const freshness = async () => {
    const { headers } = await fetch(`${own.origin}/stats/${slug}`)
    return { pending: headers.get('x-stats-pending'), asOf: Date.parse(headers.get('x-stats-as-of') ?? '') }
  }
  expect((await freshness()).pending).toBe('0')
  const visitedAt = Date.now()
  await visit(own.origin, slug)
  const answeredAt = Date.now()
  for (let i = 0; i < 2; i++) await visit(own.origin, slug)
  await sleep(700)
  await waitUntil(async () => (await freshness()).pending === '3', { what: 'three visits are pending' })
  expect((await linkStats(own.origin, slug)).visits).toBe(0)
  expect((await freshness()).asOf).toBeLessThanOrEqual(answeredAt)

  await startWorker(installation)
  const fresh = await waitUntil(
    async () => {
      const state = await freshness()
      return state.pending === '0' && state.asOf > visitedAt && state
    },
    { what: 'no visit is pending' },
  )
  expect(fresh.asOf).toBeLessThanOrEqual(Date.now())
  await waitUntil(async () => (await linkStats(own.origin, slug)).visits === 3, { what: 'three are counted' })
})

describe('the statistics of a link', () => {
  test('of a link without visits are zeros', async () => {
    await makeLinks(['quiet'])
    const stats = await linkStats(api.origin, 'quiet', '?from=2026-01-01&to=2026-01-04')
    const none = { visits: 0, humans: 0, bots: 0, previews: 0, uniques: 0 }
    expect(stats).toEqual({
      slug: 'quiet',
      short_url: `${api.origin}/quiet`,
      long_url: 'https://example.com/quiet',
      created_at: expect.stringMatching(/Z$/),
      expires_at: null,
      state: 'active',
      deleted_at: null,
      gone_requests: 0,
      ...none,
      misdated: 0,
      first_visit: null,
      last_visit: null,
      range: { from: '2026-01-01T00:00:00.000Z', to: '2026-01-04T00:00:00.000Z', ...none },
      series: ['01', '02', '03'].map(day => ({ start: `2026-01-${day}T00:00:00.000Z`, ...none })),
      recent: [],
    })
  })

  test('show the last 30 days, by day, by default', async () => {
    const [linkId = 0] = await makeLinks(['a'])
    const now = Date.now()
    await recordVisits([0, 1, 31, 40].map(days => ({ linkId, visitedAt: now - days * dayMs })))
    const { visits, series } = await linkStats(api.origin, 'a')
    expect(visits).toBe(4)
    expect([30, 31]).toContain(series.length)
    expect(series.reduce((sum, bucket) => sum + bucket.visits, 0)).toBe(2)
    expect(Date.parse(series.at(-1)?.start ?? '')).toBe(Math.floor(now / dayMs) * dayMs)
  })

  test('list the latest 20 visits, newest first', async () => {
    const [linkId = 0] = await makeLinks(['a'])
    const at = Date.UTC(2026, 0, 1)
    await recordVisits(
      Array.from({ length: 30 }, (_, i) => ({ linkId, visitedAt: at + ((i * 7) % 30) * 1_000 })),
    )
    const { recent } = await linkStats(api.origin, 'a')
    expect(recent.map(({ visited_at }) => visited_at)).toEqual(
      Array.from({ length: 20 }, (_, i) => new Date(at + (29 - i) * 1_000).toISOString()),
    )
  })

  test.each([
    ['from=2026-01-02&to=2026-01-01', 'from'],
    ['from=2026-01-01&to=2026-01-01', 'from'],
    ['from=2099-01-01', 'from'],
    ['from=2024-01-01&to=2027-01-06', 'from'],
    ['interval=hour&from=2024-01-01T00:00:00Z&to=2025-01-03T00:00:00.001Z', 'from'],
    ['from=1000-01-01&to=9999-01-01', 'from'],
    ['from=0001-01-01', 'from'],
    ['from=-271821-04-20T00:00:00Z', 'from'],
    ['from=tomorrow', 'from'],
    ['from=2026-02-30', 'from'],
    ['from=2026-01-01T00:00:00', 'from'],
    ['from=1767225600', 'from'],
    ['from=', 'from'],
    ['to=infinity', 'to'],
    ['to=%2B010000-01-01T00:00:00Z', 'to'],
    ['to=2026-01-01&to=2026-01-02', 'to'],
    ['tz=Mars/Olympus', 'tz'],
    ['tz=%2B02:00', 'tz'],
    ['tz=-02', 'tz'],
    ['tz=', 'tz'],
    ['tz=localtime', 'tz'],
    ['tz=Europe/Berlin%00', 'tz'],
    ["tz=UTC'--", 'tz'],
    ['tz=../../../etc/passwd', 'tz'],
    [`tz=${'a'.repeat(65)}`, 'tz'],
    ['interval=second', 'interval'],
    ['interval=minute&from=2026-01-01&to=2026-01-02', 'from'],
    ['compare=next', 'compare'],
    ['interval=days', 'interval'],
    ['unknown=1', 'unknown'],
  ])('can not be asked for with ?%s', async (query, parameter) => {
    await makeLinks(['a'])
    const problem = expectProblem(await answerTo(api.port, requestBytes('GET', `/stats/a?${query}`)), 400)
    expect(problem.errors?.map(error => error.pointer)).toEqual([`#/${parameter}`])
  })

  test.each([
    ['from=2024-01-01&to=2025-01-01', 366],
    ['from=2023-11-04&to=2024-11-04&tz=America/New_York', 366],
    ['from=2024-01-01&to=2025-01-01&interval=hour', 8_784],
    ['from=1970-01-01&to=1970-12-31&interval=month', 12],
    ['from=9999-12-30&to=9999-12-31T23:59:59Z', 2],
    ['from=2026-01-01&to=2026-01-01T00:00:00.001Z', 1],
    ['from=2026-07-01T23:00:00%2B02:00&to=2026-07-02T00:00:00%2B02:00&interval=hour&tz=europe/berlin', 1],
  ])('can be asked for with ?%s: %i intervals', async (query, intervals) => {
    await makeLinks(['a'])
    expect((await linkStats(api.origin, 'a', `?${query}`)).series).toHaveLength(intervals)
  })

  test('accept every time zone that the runtime knows', async () => {
    await makeLinks(['a'])
    for (const tz of Intl.supportedValuesOf('timeZone')) {
      const { status } = await get(`/stats/a?tz=${encodeURIComponent(tz)}&from=2026-01-01&to=2026-01-03`)
      expect({ tz, status }).toEqual({ tz, status: 200 })
    }
  })
})

/** Time zones with unusual clock changes, and the times of those changes. */
const shifts: [timeZone: string, moment: string][] = [
  ['America/New_York', '2026-03-08T07:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z'],
  // Half an hour.
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
  // Skips 30 December 2011.
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  // At midnight: a day that begins at 1:00, and one whose first hour is repeated.
  ['America/Havana', '2026-03-08T05:00:00Z'],
  ['America/Havana', '2026-11-01T05:00:00Z'],
  ['America/Sao_Paulo', '2017-10-15T03:00:00Z'],
  ['America/Sao_Paulo', '2018-02-18T02:00:00Z'],
  // Back to the previous day.
  ['Africa/Cairo', '2026-10-29T21:00:00Z'],
  // Two hours.
  ['Antarctica/Troll', '2026-03-29T01:00:00Z'],
  // From UTC+8:30 to UTC+9:00, at night.
  ['Asia/Pyongyang', '2018-05-04T15:00:00Z'],
  ['Asia/Kathmandu', '1985-12-31T18:30:00Z'],
  ['Asia/Kathmandu', '2026-06-30T18:15:00Z'],
  ['Pacific/Chatham', '2026-04-04T14:00:00Z'],
  ['America/St_Johns', '2026-11-01T04:30:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00:00Z'],
  ['UTC', '2026-01-01T00:00:00Z'],
]
type Interval = 'hour' | 'day' | 'week' | 'month'
const spansMs: Record<Interval, number> = {
  hour: 3 * dayMs,
  day: 40 * dayMs,
  week: 120 * dayMs,
  month: 366 * dayMs,
}

test('a series counts the visits in each interval by the zone’s clocks', async () => {
  const [linkId = 0] = await makeLinks(['a'])
  const near = (spanMs: number) =>
    fc
      .tuple(fc.constantFrom(...shifts), fc.integer({ min: -spanMs, max: spanMs }))
      .map(([[, moment], offset]) => Date.parse(moment) + offset)
  const visits = fc.sample(fc.oneof(near(4 * hourMs), near(4 * hourMs), near(3 * dayMs), near(200 * dayMs)), {
    numRuns: 3_000,
  })
  await recordVisits(visits.map(visitedAt => ({ linkId, visitedAt })))

  const query = fc
    .record({
      shift: fc.constantFrom(...shifts),
      otherZone: fc.option(fc.constantFrom(...shifts.map(([timeZone]) => timeZone)), { freq: 3 }),
      interval: fc.constantFrom<Interval[]>('hour', 'day', 'week', 'month'),
      before: fc.double({ min: 0, max: 0.5, noNaN: true }),
      length: fc.double({ min: 0, max: 0.5, noNaN: true }),
      grain: fc.constantFrom(1, 60_000, hourMs / 4, hourMs, dayMs),
    })
    .map(({ shift: [zone, moment], otherZone, interval, before, length, grain }) => {
      const round = (milliseconds: number) => Math.floor(milliseconds / grain) * grain
      const from = round(Date.parse(moment) - before * spansMs[interval])
      const to = Math.max(round(from + length * 2 * spansMs[interval]), from + 1)
      return { timeZone: otherZone ?? zone, interval, from, to: Math.min(to, from + 365 * dayMs) }
    })

  await fc.assert(
    fc.asyncProperty(query, async ({ timeZone, interval, from, to }) => {
      const parameters = new URLSearchParams({
        tz: timeZone,
        interval,
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
      })
      const { series } = await linkStats(api.origin, 'a', `?${parameters}`)
      expect(series.map(({ start, visits }) => ({ start, visits }))).toEqual(
        countByHand(visits, { timeZone, interval, from, to }),
      )
    }),
    { numRuns: isNightly ? 300 : 75 },
  )
}, 120_000)

/** Checks each visit, and each quarter hour of the range, on its own. */
function countByHand(
  visits: number[],
  range: { timeZone: string; interval: Interval; from: number; to: number },
): { start: string; visits: number }[] {
  const { timeZone, interval, from, to } = range
  const startOf = (moment: number) => startOfInterval(moment, timeZone, interval)
  const step = interval === 'hour' ? hourMs / 4 : hourMs
  const counts = new Map<number, number>()
  for (let moment = from; moment < to; moment += step) counts.set(startOf(moment), 0)
  counts.set(startOf(to - 1), 0)
  for (const visitedAt of visits) {
    const inReach = visitedAt > from - 32 * dayMs && visitedAt < to + 32 * dayMs
    const start = inReach ? startOf(visitedAt) : Number.NaN
    const count = counts.get(start)
    if (count !== undefined) counts.set(start, count + 1)
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([start, visits]) => ({ start: new Date(start).toISOString(), visits }))
}

function startOfInterval(moment: number, timeZone: string, interval: Interval): number {
  const local = Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(timeZone)
  if (interval === 'hour') {
    const onTheClock = (time: Temporal.ZonedDateTime) => `${time.toPlainDate()} ${time.hour} ${time.offset}`
    let quarter = local
      .subtract({ minutes: local.minute % 15 })
      .round({ smallestUnit: 'minute', roundingMode: 'floor' })
    for (;;) {
      const before = quarter.subtract({ minutes: 15 })
      if (onTheClock(before) !== onTheClock(local)) return quarter.epochMilliseconds
      quarter = before
    }
  }
  const date = local.toPlainDate()
  const first = {
    day: date,
    week: date.subtract({ days: date.dayOfWeek - 1 }),
    month: date.with({ day: 1 }),
  }[interval]
  return first.toZonedDateTime(timeZone).epochMilliseconds
}
