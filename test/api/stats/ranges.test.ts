/** The range of a report in any zone: its series, its breakdowns and its filtered sums count the same visits. */
import fc from 'fast-check'
import type { Pool } from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { dayMs, dayText } from '../../../apps/shared/days.ts'
import { foldBreakdowns } from '../../../apps/worker/maintenance/fold-breakdowns.ts'
import { foldQuarters } from '../../../apps/worker/maintenance/fold-quarters.ts'
import { retireVisits } from '../../../apps/worker/maintenance/retention/retire-visits.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool } from '../../support/hopcount.ts'
import { isNightly } from '../../support/nightly.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { CountedVisit, Counts } from './counted-visits.ts'
import {
  between,
  countVisits,
  drawUniques,
  hourMs,
  makeLinks,
  recordVisits,
  startReportingApi,
} from './counted-visits.ts'

interface Value {
  value: string
  visits: number
  humans: number
  previous?: { visits: number; humans: number }
}
type Visitors = { from: string; to: string; uniques: number }
type Sums = Counts & { from: string; to: string; uniques?: number }
interface Breakdowns extends Sums {
  widened_because?: string
  utc_days?: Sums & { uniques: number }
  previous?: Sums
  full_days?: Visitors & { previous: Visitors }
  breakdowns: Record<string, Value[]>
}
interface Series {
  range: Sums
  series: (Counts & { start: string; uniques?: number })[]
  previous?: Sums & {
    so_far?: Counts & { to: string }
    series: (Counts & { start: string; uniques?: number })[]
  }
}
type Query = Record<string, string>

const now = Date.now()
const newYork = 'America/New_York'
/** The day on which New York's clocks were set last, and the one before. */
const clockChanges = ((moment: Temporal.ZonedDateTime) => {
  const last = moment.getTimeZoneTransition('previous') ?? moment
  return [last, last.getTimeZoneTransition('previous') ?? last].map(change => change.epochMilliseconds)
})(Temporal.Instant.fromEpochMilliseconds(now - 3 * dayMs).toZonedDateTimeISO(newYork))
const slugs = ['one', 'two']

let api: RunningApi
let pool: Pool
let visits: CountedVisit[]

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  const links = await makeLinks(pool, slugs)
  const near = (moment: number, spanMs: number) =>
    fc.noBias(fc.integer({ min: Math.floor(moment - spanMs), max: Math.floor(moment + spanMs) }))
  const moments = fc.sample(
    fc.record({
      slug: fc.constantFrom(...slugs),
      visitedAt: fc.oneof(
        near(now - 20 * dayMs, 20 * dayMs),
        near(now - dayMs, dayMs),
        ...clockChanges.map(change => near(change, 2 * dayMs)),
      ),
    }),
    4_000,
  )
  visits = await recordVisits(
    pool,
    moments.map(({ slug, visitedAt }) => ({ slug, visitedAt, linkId: links.get(slug) ?? 0 })),
  )
  await drawUniques(pool)
  api = await startReportingApi(url)
}, 120_000)

async function ask<T>(path: string, query: Query): Promise<T> {
  const response = await fetch(`${api.origin}/stats/${path}?${new URLSearchParams(query)}`)
  const body = await response.json()
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`)
  return body as T
}

const iso = (moment: number) => new Date(moment).toISOString()
const counts = ({ visits, humans, bots, previews }: Counts) => ({ visits, humans, bots, previews })

function visitsOf(of: string): CountedVisit[] {
  return of === 'overall' ? visits : visits.filter(({ slug }) => slug === of)
}

function inRange(of: string, { from, to }: { from: string; to: string }): CountedVisit[] {
  return between(visitsOf(of), Date.parse(from), Date.parse(to))
}

function byHand(of: CountedVisit[], dimension: keyof CountedVisit['values']): Value[] {
  const values = new Map<string, Value>()
  for (const visit of of) {
    const value = visit.values[dimension]
    const count = values.get(value) ?? { value, visits: 0, humans: 0 }
    values.set(value, count)
    count.visits++
    if (visit.class === 'human') count.humans++
  }
  return [...values.values()].sort((a, b) => b.visits - a.visits || (a.value < b.value ? -1 : 1))
}

/** Visits that match filters are not known by visitor. */
function withoutVisitors({ uniques: _, series, ...previous }: NonNullable<Series['previous']>) {
  return { ...previous, series: series.map(({ uniques: _, ...bucket }) => bucket) }
}

/** With what each value had in the range compared with, up to the same point. */
function beside(
  values: Value[],
  of: string,
  { from, to, so_far: soFar }: { from: string; to: string; so_far?: { to: string } },
  dimension: keyof CountedVisit['values'],
): Value[] {
  const before = byHand(inRange(of, { from, to: soFar?.to ?? to }), dimension)
  return values.map(value => {
    const { visits = 0, humans = 0 } = before.find(other => other.value === value.value) ?? {}
    return { ...value, previous: { visits, humans } }
  })
}

function touchedDays({ from, to }: { from: string; to: string }) {
  return {
    from: iso(Math.floor(Date.parse(from) / dayMs) * dayMs),
    to: iso(Math.ceil(Date.parse(to) / dayMs) * dayMs),
  }
}

async function uniquesOf(of: string, { from, to }: { from: string; to: string }): Promise<number> {
  const { rows } = await pool.query<{ uniques: number }>(
    `SELECT coalesce(sum(uniques), 0)::integer AS uniques FROM link_days
     WHERE link_id = coalesce((SELECT id FROM links WHERE slug = $1), 0) AND day >= $2::date AND day < $3::date`,
    [of, from.slice(0, 10), to.slice(0, 10)],
  )
  return rows[0]?.uniques ?? 0
}

/** While a range is in progress, visitors of its days that are over are compared. */
async function checkFullDays(
  of: string,
  report: Breakdowns,
  days: { from: string; to: string },
): Promise<void> {
  const today = iso(Math.floor(now / dayMs) * dayMs)
  if (report.previous === undefined || today <= days.from || today >= days.to)
    return expect(report.full_days).toBeUndefined()
  const { previous, ...full } = report.full_days ?? expect.fail('no full days')
  expect(full).toMatchObject({ from: days.from, to: today })
  expect(Date.parse(previous.to) - Date.parse(previous.from)).toBe(Date.parse(today) - Date.parse(days.from))
  for (const { uniques, ...part } of [full, previous]) expect(uniques).toBe(await uniquesOf(of, part))
}

/** Every number of the range is that of the same visits; numbers of other days stand under a name of their own. */
async function checkAgreement(of: string, query: Query): Promise<void> {
  const { range, series, previous } = await ask<Series>(of, query)
  const report = await ask<Breakdowns>(`${of}/breakdowns`, { ...query, limit: '100' })
  const filtered = await ask<Breakdowns & Omit<Series, 'range'>>(`${of}/filtered`, { ...query, limit: '100' })
  const counted = inRange(of, range)
  expect(report.widened_because).toBeUndefined()
  for (const { from, to } of [report, filtered])
    expect({ from, to }).toEqual({ from: range.from, to: range.to })
  for (const sums of [range, report, filtered]) expect(counts(sums)).toEqual(countVisits(counted))
  for (const dimension of Object.keys(counted[0]?.values ?? {}) as (keyof CountedVisit['values'])[]) {
    const values = byHand(counted, dimension)
    const compared = previous ? beside(values, of, previous, dimension) : values
    expect(report.breakdowns[dimension]).toEqual(compared)
    expect(filtered.breakdowns[dimension]).toEqual(compared)
  }
  expect(filtered.previous).toEqual(previous && withoutVisitors(previous))
  expect(
    report.previous && { ...counts(report.previous), from: report.previous.from, to: report.previous.to },
  ).toEqual(previous && { ...countVisits(inRange(of, previous)), from: previous.from, to: previous.to })
  const days = touchedDays(range)
  await checkFullDays(of, report, days)
  if (days.from === range.from && days.to === range.to) {
    expect(report.utc_days).toBeUndefined()
    expect(report.uniques).toBe(await uniquesOf(of, range))
  } else {
    expect(report.uniques).toBeUndefined()
    expect(report.utc_days).toMatchObject({
      ...days,
      ...countVisits(inRange(of, days)),
      uniques: await uniquesOf(of, days),
    })
  }
  const ends = [...series.slice(1).map(({ start }) => start), range.to]
  const areDays = [range.from, ...ends].every(end => Date.parse(end) % dayMs === 0)
  for (const [i, bucket] of series.entries())
    expect(bucket.uniques).toBe(
      areDays ? await uniquesOf(of, { from: bucket.start, to: ends[i] ?? range.to }) : undefined,
    )
  expect(range.uniques).toBe(areDays ? report.uniques : undefined)
}

const zones = fc.constantFrom('UTC', newYork, 'Asia/Kathmandu', 'Pacific/Kiritimati')
const spans = { hour: 3 * dayMs, day: 20 * dayMs, week: 60 * dayMs, month: 100 * dayMs }

test('series, breakdowns and filtered sums of a range count the same visits, in every zone', async () => {
  const query = fc.record({
    of: fc.constantFrom(...slugs, 'overall'),
    tz: zones,
    interval: fc.constantFrom<(keyof typeof spans)[]>('hour', 'day', 'week', 'month'),
    around: fc.constantFrom(now, now - dayMs, now - 20 * dayMs, ...clockChanges),
    before: fc.noBias(fc.double({ min: 0, max: 1, noNaN: true })),
    length: fc.noBias(fc.double({ min: 0.01, max: 1, noNaN: true })),
    compare: fc.constantFrom(undefined, 'previous', 'month', 'year'),
  })
  await fc.assert(
    fc.asyncProperty(query, async ({ of, tz, interval, around, before, length, compare }) => {
      const from = around - before * spans[interval]
      await checkAgreement(of, {
        ...{ tz, interval, from: iso(from), to: iso(from + length * spans[interval]) },
        ...(compare && { compare }),
      })
    }),
    { numRuns: isNightly ? 120 : 30 },
  )
}, 300_000)

test('so do those of one local day, of the day that has begun, and of a day on which clocks were set', async () => {
  for (const tz of [newYork, 'Asia/Kathmandu', 'Pacific/Kiritimati', 'UTC'])
    for (const moment of [now, now - dayMs, ...clockChanges]) {
      const date = Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(tz).toPlainDate()
      const day = { from: `${date}`, to: `${date.add({ days: 1 })}` }
      await checkAgreement('one', { ...day, tz, compare: 'previous' })
      await checkAgreement('overall', { ...day, tz, interval: 'hour' })
    }
  await checkAgreement('one', { tz: newYork })
})

test('so do those of all time, by month, however early it begins and late it ends', async () => {
  const year = new Date(now).getUTCFullYear()
  for (const of of ['one', 'overall']) {
    const query = { interval: 'month', from: '1985-06-01', to: `${year + 30}-01-01` }
    await checkAgreement(of, query)
    expect((await ask<Breakdowns>(`${of}/breakdowns`, query)).visits).toBe(visitsOf(of).length)
  }
})

test('minutes and their breakdowns count the same visits', async () => {
  for (const [ago, minutes] of [
    [90, 60],
    [26 * 60, 7],
    [30 * 60, 25 * 60],
  ] as const) {
    const from = now - ago * 60_000
    const query = { interval: 'minute', tz: newYork, from: iso(from), to: iso(from + minutes * 60_000) }
    await checkAgreement('one', query)
  }
})

test('a visit that arrives late is in the breakdown of a part of its day, which was counted before', async () => {
  const links = await makeLinks(pool, ['late'])
  const late = { slug: 'late', linkId: links.get('late') ?? 0 }
  const day = Math.floor(now / dayMs) * dayMs - 5 * dayMs
  const range = { tz: newYork, from: iso(day - hourMs), to: iso(day + hourMs), interval: 'hour' }
  const outside = [2, 23].map(hours => ({ ...late, visitedAt: day + hours * hourMs }))
  const early = [...outside, { ...late, visitedAt: day + 1 }, { ...late, visitedAt: day - 1 }]
  visits.push(...(await recordVisits(pool, early)))
  expect((await ask<Breakdowns>('late/breakdowns', range)).visits).toBe(2)
  visits.push(...(await recordVisits(pool, [{ ...late, visitedAt: day + 2 }])))
  await waitUntil(async () => (await ask<Breakdowns>('late/breakdowns', range)).visits === 3, {
    what: 'the visit is counted',
  })
  const { breakdowns } = await ask<Breakdowns>('late/breakdowns', range)
  for (const values of Object.values(breakdowns))
    expect(values.reduce((sum, value) => sum + value.visits, 0)).toBe(3)
})

test('a value that is rare on whole days and frequent in a part of one has its exact count', async () => {
  const links = await makeLinks(pool, ['rare'])
  const linkId = links.get('rare') ?? 0
  const day = dayText(Math.floor(now / dayMs) - 6)
  const next = dayText(Math.floor(now / dayMs) - 5)
  const after = dayText(Math.floor(now / dayMs) - 4)
  await pool.query(
    `INSERT INTO link_days (link_id, day, visits, bots, previews, uniques) VALUES ($1, $2, 1003, 0, 0, 5), ($1, $3, 90, 90, 0, 0)`,
    [linkId, day, next],
  )
  await pool.query(
    `INSERT INTO link_quarters (link_id, quarter, visits, bots) VALUES ($1, $2::date::timestamp AT TIME ZONE 'UTC' + interval '12 hours', 1003, 0),
       ($1, $3::date::timestamp AT TIME ZONE 'UTC' + interval '1 hour', 50, 50), ($1, $3::date::timestamp AT TIME ZONE 'UTC' + interval '12 hours', 40, 40)`,
    [linkId, day, next],
  )
  const listed = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`rhost-${i}.example`, 2]))
  await pool.query(
    `INSERT INTO link_breakdowns (link_id, day, breakdowns, listed) VALUES ($1, $2, $3, 400)`,
    [linkId, day, JSON.stringify({ ...listed, 'r*': 203, 'r~': 0 })],
  )
  await pool.query(
    `INSERT INTO breakdown_tails (link_id, day, key, visits, humans)
     SELECT $1, $2::date, 'rrare-' || n || '.example', CASE n WHEN 0 THEN 3 ELSE 1 END, CASE n WHEN 0 THEN 3 ELSE 1 END FROM generate_series(0, 200) AS n`,
    [linkId, day],
  )
  await pool.query(
    `INSERT INTO visits (link_id, visited_at, referrer, user_agent)
     SELECT $1, $2::date::timestamp AT TIME ZONE 'UTC' + CASE WHEN n < 50 THEN interval '1 hour' ELSE interval '12 hours' END, 'https://rare-0.example/', 'curl/8.9.1'
     FROM generate_series(0, 89) AS n`,
    [linkId, next],
  )
  const report = await ask<Breakdowns>('rare/breakdowns', { from: day, to: next, tz: newYork, limit: '10' })
  expect(report.visits).toBe(1_053)
  expect(report.breakdowns.referrer?.[0]).toEqual({ value: 'rare-0.example', visits: 53, humans: 3 })
  expect(report.breakdowns.referrer?.reduce((sum, { visits }) => sum + visits, 0)).toBe(1_053)
  await pool.query(
    `INSERT INTO link_breakdowns (link_id, day, breakdowns, listed) VALUES ($1, $2, '{"rrare-0.example": [90, 0]}', 1)`,
    [linkId, next],
  )
  const compared = await ask<Breakdowns>('rare/breakdowns', { from: next, to: after, compare: 'previous' })
  expect(compared.breakdowns.referrer).toEqual([
    { value: 'rare-0.example', visits: 90, humans: 0, previous: { visits: 3, humans: 3 } },
  ])
})

test('parts of days with too many visits to be counted widen the range to UTC days, and the report says so', async () => {
  const links = await makeLinks(pool, ['hot'])
  const linkId = links.get('hot') ?? 0
  const day = dayText(Math.floor(now / dayMs) - 5)
  const next = dayText(Math.floor(now / dayMs) - 4)
  await pool.query(
    `INSERT INTO link_days (link_id, day, visits, bots, previews, uniques) VALUES ($1, $2, 2000000, 0, 0, 70)`,
    [linkId, day],
  )
  await pool.query(
    `INSERT INTO link_quarters (link_id, quarter, visits)
     SELECT $1, $2::date::timestamp AT TIME ZONE 'UTC' + n * interval '12 hours', 1000000 FROM generate_series(0, 1) AS n`,
    [linkId, day],
  )
  await pool.query(
    `INSERT INTO link_breakdowns (link_id, day, breakdowns, listed) VALUES ($1, $2, '{"cDE": 2000000}', 400)`,
    [linkId, day],
  )
  const report = await ask<Breakdowns>('hot/breakdowns', { from: day, to: next, tz: newYork })
  const days = { from: iso(Date.parse(day)), to: iso(Date.parse(next) + dayMs) }
  expect(report).toMatchObject({
    ...days,
    visits: 2_000_000,
    uniques: 70,
    widened_because: 'too_many_visits',
  })
  expect(report.breakdowns.country).toEqual([{ value: 'DE', visits: 2_000_000, humans: 2_000_000 }])
})

// Last, since it takes visits away.
test('where raw visits are retired or quarter hours are folded, the report covers UTC days, says why, and agrees with the series of those days', async () => {
  await foldBreakdowns(pool)
  await foldQuarters(pool, 8)
  await retireVisits(pool, 12)
  const today = Math.floor(now / dayMs)
  const local = (daysAgo: number, days: number, tz: string) => ({
    ...{ tz, compare: 'previous' },
    from: dayText(today - daysAgo),
    to: dayText(today - daysAgo + days),
  })
  for (const of of ['one', 'overall'])
    for (const [query, because] of [
      [local(16, 3, newYork), 'retention'],
      [local(20, 30, 'Pacific/Kiritimati'), 'retention'],
      [local(10, 6, 'Asia/Kathmandu'), 'folded_quarters'],
    ] as const) {
      const report = await ask<Breakdowns>(`${of}/breakdowns`, { ...query, limit: '100' })
      const { range } = await ask<Series>(of, query)
      const days = touchedDays(range)
      expect(report).toMatchObject({ ...days, widened_because: because, uniques: await uniquesOf(of, days) })
      expect(report.utc_days).toBeUndefined()
      const counted = inRange(of, days)
      const { range: sameDays } = await ask<Series>(of, { tz: 'UTC', ...days })
      for (const sums of [report, sameDays]) expect(counts(sums)).toEqual(countVisits(counted))
      const lengthMs = Date.parse(days.to) - Date.parse(days.from)
      const before = { from: iso(Date.parse(days.from) - lengthMs), to: days.from }
      const previous = countVisits(inRange(of, before))
      expect(report.previous).toMatchObject({ ...before, ...previous })
      // A day that is not over is not compared with whole days.
      const values = byHand(counted, 'country')
      expect(report.breakdowns.country).toEqual(
        Date.parse(days.to) > now ? values : beside(values, of, { ...before, ...previous }, 'country'),
      )
    }
  // Ends on full hours, and on days that still have raw visits.
  const { compare: _, ...hours } = local(10, 6, newYork)
  await checkAgreement('one', hours)
  // Of days before that, a value's part is not known: nothing is compared, rather than something else.
  const report = await ask<Breakdowns>('one/breakdowns', local(10, 6, newYork))
  expect(report.previous).toBeDefined()
  expect(report.widened_because).toBeUndefined()
  expect(JSON.stringify(report.breakdowns)).not.toContain('previous')
  const file = await fetch(
    `${api.origin}/stats/one/export?${new URLSearchParams({ what: 'breakdowns', tz: newYork, from: dayText(today - 16), to: dayText(today - 13) })}`,
  )
  expect(file.headers.get('content-disposition')).toContain(
    `one-breakdowns-utc-${dayText(today - 16)}-${dayText(today - 13)}.csv`,
  )
})
