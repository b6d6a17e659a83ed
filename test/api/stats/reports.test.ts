/** Reports of a link and of all links, over random periods and time zones, compared with visits counted by hand. */
import fc from 'fast-check'
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Comparison, SeriesInterval } from '../../../apps/api/stats/series/series-schema.ts'
import { dayMs, dayNumber, dayText } from '../../../apps/shared/days.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool } from '../../support/hopcount.ts'
import { isNightly } from '../../support/nightly.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import type { CountedVisit, Counts } from './counted-visits.ts'
import {
  between,
  countVisits,
  hourMs,
  makeLinks,
  minuteMs,
  recordVisits,
  startReportingApi,
} from './counted-visits.ts'

let api: RunningApi
let pool: Pool
let visits: CountedVisit[]
const end = Date.now()
const start = end - 60 * dayMs
const slugs = ['one', 'two', 'three', 'Four', 'never']

/** Uniform between 0 and 1. */
const share = fc.noBias(fc.integer({ min: 0, max: 1_000_000 })).map(n => n / 1_000_001)

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  const links = await makeLinks(pool, slugs)
  const moments = fc.sample(
    fc.record({ slug: fc.constantFrom(...slugs.slice(0, 4)), ago: share, isNew: fc.boolean() }),
    4_000,
  )
  visits = await recordVisits(
    pool,
    moments.map(({ slug, ago, isNew }) => ({
      slug,
      linkId: links.get(slug) ?? 0,
      visitedAt: Math.floor(end - ago * (isNew ? 2 * dayMs : 60 * dayMs)),
    })),
  )
  api = await startReportingApi(url)
}, 120_000)

type Dimension = keyof CountedVisit['values']
const dimensions: Dimension[] = [
  ...(['referrer', 'channel', 'country', 'browser', 'os', 'device', 'language'] as const),
  ...(['bot', 'bot_group'] as const),
]

interface Value {
  value: string
  visits: number
  humans: number
}

interface Bucket extends Counts {
  start: string
}

interface Report extends Counts {
  from: string
  to: string
  uniques: number
  range: Counts & { from: string; to: string }
  series: Bucket[]
  previous: Counts & {
    from: string
    to: string
    series: Bucket[]
    uniques: number
    so_far?: Counts & { to: string }
  }
  breakdowns: Record<Dimension, Value[]>
  links: number
  first_visit: string | null
  last_visit: string | null
}

async function report(path: string, query: Record<string, string> = {}): Promise<Report> {
  const response = await fetch(`${api.origin}/stats/${path}?${new URLSearchParams(query)}`)
  const body = (await response.json()) as Report
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`)
  return body
}

const subject = fc.constantFrom('one', 'two', 'three', 'Four', 'never', 'overall')
const comparison = fc.constantFrom<Comparison[]>('previous', 'month', 'year')
const zones = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
)

function visitsOf(subject: string): CountedVisit[] {
  return subject === 'overall' ? visits : visits.filter(({ slug }) => slug === subject)
}

const counts = ({ visits, humans, bots, previews }: Counts) => ({ visits, humans, bots, previews })

/** Each bucket ends where the next begins. */
function checkSeries(of: CountedVisit[], series: Bucket[], to: string): void {
  const ends = [...series.slice(1).map(({ start }) => start), to]
  const byHand = series.map(({ start }, i) => ({
    start,
    ...countVisits(between(of, Date.parse(start), Date.parse(ends[i] ?? ''))),
  }))
  expect(series.map(bucket => ({ start: bucket.start, ...counts(bucket) }))).toEqual(byHand)
}

/** One bucket beside each of the series, with the visits of its own hour, day, week or month; of none, if it has no length. */
function checkBeside(
  of: CountedVisit[],
  series: Bucket[],
  previous: { series: Bucket[]; to: string },
  { interval, tz }: { interval: SeriesInterval; tz: string },
): void {
  expect(previous.series).toHaveLength(series.length)
  const ends = [...previous.series.slice(1).map(({ start }) => start), previous.to].map(Date.parse)
  for (const [i, { start, ...bucket }] of previous.series.entries()) {
    const from = Date.parse(start)
    const moment = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(tz)
    const unit = moment.add({ [`${interval}s`]: 1 })
    const unitEnd = (interval === 'hour' || interval === 'minute' ? unit : unit.startOfDay())
      .epochMilliseconds
    const to = Math.min(ends[i] ?? from, unitEnd)
    expect({ from, ...counts(bucket) }).toEqual({ from, ...countVisits(between(of, from, to)) })
  }
}

function valuesByHand(of: CountedVisit[], dimension: Dimension, limit: number): Value[] {
  const counts = new Map<string, Value>()
  for (const visit of of) {
    const value = visit.values[dimension]
    const count = counts.get(value) ?? { value, visits: 0, humans: 0 }
    counts.set(value, count)
    count.visits++
    if (visit.class === 'human') count.humans++
  }
  return [...counts.values()]
    .sort((a, b) => b.visits - a.visits || (a.value < b.value ? -1 : 1))
    .slice(0, limit)
}

const lengths = { minute: 2 * hourMs, hour: 4 * dayMs, day: 40 * dayMs, week: 60 * dayMs, month: 60 * dayMs }

const period = fc
  .record({
    interval: fc.constantFrom<(keyof typeof lengths)[]>('minute', 'hour', 'day', 'week', 'month'),
    from: share,
    length: share,
    grain: fc.constantFrom(1, minuteMs, hourMs, dayMs),
  })
  .map(({ interval, from, length, grain }) => {
    // Minutes are kept for two days: this period and an equally long previous one.
    const reach = interval === 'minute' ? dayMs : 55 * dayMs
    const begin = Math.max(end - reach, Math.floor((end - from * reach) / grain) * grain)
    const fits = interval === 'minute' ? end - begin + minuteMs : lengths[interval]
    const span = Math.min(lengths[interval], fits) * length
    return { interval, from: begin, to: begin + Math.max(minuteMs, span) }
  })

describe('a report', () => {
  test('has the totals and series that counting each visit gives, and those of the period compared with', async () => {
    await fc.assert(
      fc.asyncProperty(subject, zones, period, comparison, async (of, tz, { interval, from, to }, wanted) => {
        const compare = interval === 'minute' ? 'previous' : wanted
        const query = {
          ...{ interval, tz, compare },
          from: new Date(from).toISOString(),
          to: new Date(to).toISOString(),
        }
        const { range, series, previous, ...totals } = await report(of, query)
        const own = visitsOf(of)
        const moments = own.map(({ visitedAt }) => visitedAt)
        expect(totals).toMatchObject({
          ...countVisits(own),
          first_visit: own.length === 0 ? null : new Date(Math.min(...moments)).toISOString(),
          last_visit: own.length === 0 ? null : new Date(Math.max(...moments)).toISOString(),
        })
        checkSeries(own, series, range.to)
        expect(series[0]?.start).toBe(range.from)
        expect(Date.parse(range.from)).toBeLessThanOrEqual(from)
        expect(Date.parse(range.to)).toBeGreaterThanOrEqual(to)
        expect(counts(range)).toEqual(countVisits(between(own, Date.parse(range.from), Date.parse(range.to))))

        checkBeside(own, series, previous, { interval, tz })
        expect(Date.parse(previous.to)).toBeLessThanOrEqual(Date.parse(range.from))
        if (compare === 'previous' && interval !== 'hour' && interval !== 'minute')
          expect(previous.to).toBe(range.from)
        expect(counts(previous)).toEqual(
          countVisits(between(own, Date.parse(previous.from), Date.parse(previous.to))),
        )
        const { so_far: soFar } = previous
        if (soFar !== undefined)
          expect(counts(soFar)).toEqual(
            countVisits(between(own, Date.parse(previous.from), Date.parse(soFar.to))),
          )
        if (of === 'overall') expect(totals.links).toBe(slugs.length)
      }),
      { numRuns: isNightly ? 300 : 75 },
    )
  }, 120_000)

  test('of a running period has the previous period’s counts up to the same time', async () => {
    const now = Date.now()
    for (const of of [slugs[0] ?? '', 'overall'])
      for (const interval of ['hour', 'day', 'week', 'month', 'minute']) {
        const { range, series, previous } = await report(of, {
          ...{ interval, compare: 'previous', tz: 'Asia/Kathmandu' },
          from: new Date(now - (interval === 'minute' ? hourMs : 20 * dayMs)).toISOString(),
        })
        const { so_far: soFar } = previous
        if (interval === 'minute') expect(soFar).toBeUndefined()
        else {
          const gone = now - Date.parse(series.at(-1)?.start ?? '')
          const goneBefore = Date.parse(soFar?.to ?? '') - Date.parse(previous.series.at(-1)?.start ?? '')
          // A month may be longer than the previous one.
          const tolerance = soFar?.to === range.from ? 3 * dayMs : hourMs / 2 + 60_000
          expect(Math.abs(goneBefore - gone)).toBeLessThan(tolerance)
          const own = visitsOf(of)
          expect(counts(soFar as Counts)).toEqual(
            countVisits(between(own, Date.parse(previous.from), Date.parse(soFar?.to ?? ''))),
          )
        }
      }
    const over = await report('overall', {
      compare: 'previous',
      from: new Date(now - 3 * dayMs).toISOString(),
      to: new Date(now - 2 * dayMs).toISOString(),
    })
    expect(over.previous.so_far).toBeUndefined()
  })

  test('has the breakdowns of local days that counting each visit gives', async () => {
    const query = fc.record({
      of: subject,
      tz: zones,
      from: share,
      days: share,
      limit: fc.constantFrom(10, 37, 100),
    })
    await fc.assert(
      fc.asyncProperty(query, async ({ of, tz, from, days, limit }) => {
        const begin = start + from * 60 * dayMs
        const query = {
          ...{ tz, compare: 'previous', limit: String(limit) },
          from: new Date(begin).toISOString(),
          to: new Date(begin + 1 + days * 30 * dayMs).toISOString(),
        }
        const { breakdowns, previous, ...answer } = await report(`${of}/breakdowns`, query)
        const inZone = (moment: number) =>
          Temporal.Instant.fromEpochMilliseconds(Math.floor(moment)).toZonedDateTimeISO(tz)
        const end = inZone(Date.parse(query.to) - 1).add({ days: 1 })
        const first = inZone(Date.parse(query.from)).startOfDay().epochMilliseconds
        const last = end.startOfDay().epochMilliseconds
        const own = between(visitsOf(of), first, last)
        expect(answer).toMatchObject({
          from: new Date(first).toISOString(),
          to: new Date(last).toISOString(),
          ...countVisits(own),
        })
        for (const dimension of dimensions) {
          const values = breakdowns[dimension].map(({ value, visits, humans }) => ({ value, visits, humans }))
          expect(values).toEqual(valuesByHand(own, dimension, limit))
        }
        expect(previous).toMatchObject({
          to: new Date(first).toISOString(),
          ...countVisits(between(visitsOf(of), Date.parse(previous.from), first)),
        })
      }),
      { numRuns: 80 },
    )
  }, 120_000)

  test('with filters is what counting the matching visits gives', async () => {
    const filter = fc.constantFrom('class' as const, ...dimensions)
    const query = fc.record({
      of: subject,
      tz: zones,
      period: period.filter(({ interval }) => interval !== 'minute'),
      filters: fc.uniqueArray(filter, { maxLength: 3 }),
      like: fc.noBias(fc.nat(3_999)),
    })
    await fc.assert(
      fc.asyncProperty(query, async ({ of, tz, period: { interval, from, to }, filters, like }) => {
        // The filters are an existing visit's values, so that some visits match.
        const example = visits[like]
        const traits = Object.fromEntries(
          filters.map(name => [name, (name === 'class' ? example?.class : example?.values[name]) ?? 'human']),
        )
        const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
        const { series, breakdowns, ...answer } = await report(`${of}/filtered`, {
          ...{ interval, tz },
          ...range,
          ...traits,
        })
        const passing = visitsOf(of).filter(visit =>
          filters.every(name => (name === 'class' ? visit.class : visit.values[name]) === traits[name]),
        )
        checkSeries(passing, series, answer.to)
        const inRange = between(passing, Date.parse(answer.from), Date.parse(answer.to))
        expect(counts(answer)).toEqual(countVisits(inRange))
        for (const dimension of dimensions)
          expect(breakdowns[dimension]).toEqual(valuesByHand(inRange, dimension, 10))
      }),
      { numRuns: isNightly ? 240 : 60 },
    )
  }, 120_000)

  test('lists the visits of a range, its first moment included and its end not', async () => {
    for (const of of ['one', 'overall']) {
      const times = visitsOf(of)
        .map(({ visitedAt }) => visitedAt)
        .sort((a, b) => b - a)
      const to = times[10] ?? 0
      const from = times[120] ?? 0
      const expected = times.filter(time => time >= from && time < to)
      for (const limit of [200, 27]) {
        const query = new URLSearchParams({
          ...{ limit: String(limit), from: new Date(from).toISOString(), to: new Date(to).toISOString() },
        })
        const listed: number[] = []
        for (let path: string | undefined = `/stats/${of}/visits?${query}`; path !== undefined; ) {
          const response: Response = await fetch(`${api.origin}${path}`)
          expect(response.status).toBe(200)
          const page = (await response.json()) as { visited_at: string }[]
          listed.push(...page.map(visit => Date.parse(visit.visited_at)))
          path = /^<(\/[^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
        }
        expect(listed).toEqual(expected)
      }
      const none = await fetch(
        `${api.origin}/stats/${of}/visits?from=${new Date(to).toISOString()}&to=1980-01-01`,
      )
      expect(await none.json()).toEqual([])
      expect((await fetch(`${api.origin}/stats/${of}/visits?to=tomorrow`)).status).toBe(400)
    }
  })

  test('lists every raw visit once, newest first, page by page', async () => {
    for (const of of ['one', 'overall']) {
      const pages: { visited_at: string; slug?: string; class: string; country: string | null }[][] = []
      for (let path: string | undefined = `/stats/${of}/visits?limit=173`; path !== undefined; ) {
        const response: Response = await fetch(`${api.origin}${path}`)
        expect(response.status).toBe(200)
        pages.push((await response.json()) as (typeof pages)[number])
        path = /^<(\/[^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
      }
      const listed = pages.flat()
      const own = visitsOf(of).toSorted((a, b) => b.visitedAt - a.visitedAt)
      expect(listed.map(({ visited_at }) => visited_at)).toEqual(
        own.map(({ visitedAt }) => new Date(visitedAt).toISOString()),
      )
      const key = (...parts: unknown[]) => parts.join(' ')
      expect(
        listed.map(visit => key(visit.visited_at, visit.slug, visit.class, visit.country ?? '')).sort(),
      ).toEqual(
        own
          .map(visit =>
            key(
              new Date(visit.visitedAt).toISOString(),
              of === 'overall' ? visit.slug : undefined,
              visit.class,
              visit.values.country,
            ),
          )
          .sort(),
      )
    }
  })
})

test('visits within one millisecond are on exactly one page each', async () => {
  const links = await makeLinks(pool, ['rush'])
  const linkId = links.get('rush') ?? 0
  const at = Date.UTC(2026, 0, 5, 12)
  await pool.query(
    `INSERT INTO visits (link_id, visited_at, referrer)
     SELECT $1, to_timestamp(($2::bigint + n / 40) / 1000.0), 'https://example.com/' || n FROM generate_series(0, 99) AS n`,
    [linkId, at],
  )
  const seen: string[] = []
  for (let path: string | undefined = '/stats/rush/visits?limit=7'; path !== undefined; ) {
    const response: Response = await fetch(`${api.origin}${path}`)
    seen.push(...((await response.json()) as { referrer: string }[]).map(visit => visit.referrer))
    path = /^<(\/[^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
  }
  expect(seen).toHaveLength(100)
  expect(new Set(seen).size).toBe(100)
})

test('the values beyond a dimension’s named ones are combined into a last one', async () => {
  const links = await makeLinks(pool, ['many'])
  const linkId = links.get('many') ?? 0
  const day = '2026-01-05'
  const stored = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`rhost-${i}.example`, 100 - i]))
  await pool.query(
    `INSERT INTO link_days (link_id, day, visits, bots, previews, uniques) VALUES ($1, $2, 2605, 10, 0, 5)`,
    [linkId, day],
  )
  await pool.query(
    `INSERT INTO link_breakdowns (link_id, day, breakdowns, listed) VALUES ($1, $2, $3, 400)`,
    [linkId, day, JSON.stringify({ ...stored, 'r*': [35, 25], r: 5 })],
  )
  const { breakdowns } = await report('many/breakdowns', {
    ...{ from: day, to: '2026-01-06', dimension: 'referrer' },
  })
  expect(Object.keys(breakdowns)).toEqual(['referrer'])
  expect(breakdowns.referrer).toHaveLength(11)
  expect(breakdowns.referrer[0]).toEqual({ value: 'host-0.example', visits: 100, humans: 100 })
  expect(breakdowns.referrer.at(-1)).toEqual({ value: '*', visits: 1_650, humans: 1_640 })
})

test('visits recorded before channels existed have an empty channel, so that channels add up', async () => {
  const links = await makeLinks(pool, ['older'])
  const linkId = links.get('older') ?? 0
  for (const [day, breakdowns] of Object.entries({
    '2026-01-05': { rGoogle: [30, 20], c: [30, 20] },
    '2026-01-06': { rGoogle: [30, 20], c: [30, 20], hsearch: [12, 9] },
  })) {
    await pool.query(
      'INSERT INTO link_days (link_id, day, visits, bots, previews, uniques) VALUES ($1, $2, 30, 10, 0, 5)',
      [linkId, day],
    )
    await pool.query(
      'INSERT INTO link_breakdowns (link_id, day, breakdowns, listed) VALUES ($1, $2, $3, 400)',
      [linkId, day, JSON.stringify(breakdowns)],
    )
  }
  const { breakdowns } = await report('older/breakdowns', {
    ...{ from: '2026-01-05', to: '2026-01-07', dimension: 'channel' },
  })
  expect(breakdowns).toEqual({
    channel: [
      { value: '', visits: 48, humans: 31 },
      { value: 'search', visits: 12, humans: 9 },
    ],
  })
})

test('channels are a closed set', async () => {
  for (const path of ['one/filtered?channel=', 'one/filtered?channel=radio', 'one/export?channel=radio'])
    expect((await fetch(`${api.origin}/stats/${path}`)).status).toBe(400)
})

test('filters reach back as far as raw visits, and the response says how far', async () => {
  const firstDay = dayNumber(end) - 30
  const keptFrom = new Date(firstDay * dayMs)
  await pool.query('UPDATE retention SET raw_visits_from = $1', [dayText(firstDay)])
  try {
    for (const of of ['one', 'overall']) {
      const ask = (from: number) =>
        fetch(`${api.origin}/stats/${of}/filtered?from=${new Date(from).toISOString()}&class=human`)
      expect((await ask(keptFrom.getTime())).status).toBe(200)
      const refused = await ask(keptFrom.getTime() - dayMs)
      expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/)
      expect([refused.status, await refused.json()]).toEqual([
        422,
        expect.objectContaining({ status: 422, earliest: keptFrom.toISOString() }),
      ])
    }
    // Nothing was counted before that, so nothing is missing.
    expect(
      (await fetch(`${api.origin}/stats/never/filtered?from=${new Date(start).toISOString()}`)).status,
    ).toBe(200)
  } finally {
    await pool.query(`UPDATE retention SET raw_visits_from = '-infinity'`)
  }
})
