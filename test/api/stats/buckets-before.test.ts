/** Ranges that are compared correspond, in every zone, at every moment and interval. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BucketsBefore } from '../../../apps/api/stats/series/buckets-before.ts'
import { bucketsBefore } from '../../../apps/api/stats/series/buckets-before.ts'
import type { Buckets } from '../../../apps/api/stats/series/series-range.ts'
import { bucketStarts, readSeriesRange } from '../../../apps/api/stats/series/series-range.ts'
import type { Comparison, SeriesInterval } from '../../../apps/api/stats/series/series-schema.ts'
import { isNightly } from '../../support/nightly.ts'

const dayMs = 86_400_000
const hourMs = dayMs / 24
/** Among them: halves and quarters of hours, midnights that were skipped, a day that was (Apia, 2011), a change of half an hour. */
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Santiago',
  'Africa/Casablanca',
  'Antarctica/Troll',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
]
const spans = {
  minute: hourMs * 20,
  hour: 16 * dayMs,
  day: 100 * dayMs,
  week: 200 * dayMs,
  month: 900 * dayMs,
}

function inZone(moment: Date | number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Number(moment)).toZonedDateTimeISO(zone)
}

/** Moments near what is difficult: clock changes, ends of months, leap days. */
const anchors = zones
  .flatMap(zone => {
    const changes: number[] = []
    let change = inZone(Date.UTC(2009, 0, 1), zone).getTimeZoneTransition('next')
    while (change !== null && change.epochMilliseconds < Date.UTC(2029, 0, 1)) {
      changes.push(change.epochMilliseconds)
      change = change.getTimeZoneTransition('next')
    }
    return changes
  })
  .concat(
    ['2011-12-30', '2024-02-29', '2026-03-01', '2026-10-31', '2026-12-31', '2028-02-29', '2028-03-01'].map(
      Date.parse,
    ),
  )

const requests = fc
  .record({
    zone: fc.constantFrom(...zones),
    interval: fc.constantFrom<SeriesInterval[]>('minute', 'hour', 'day', 'week', 'month'),
    compare: fc.constantFrom<Comparison[]>('previous', 'month', 'year'),
    anchor: fc.constantFrom(...anchors),
    off: fc.noBias(fc.integer({ min: -3 * 24, max: 3 * 24 })),
    share: fc.noBias(fc.double({ min: 0, max: 1, noNaN: true })),
    /** Whole days, as people choose them; else any hours. */
    days: fc.option(fc.constantFrom(1, 2, 7, 14, 28, 29, 30, 31, 90), { nil: undefined }),
    isRunning: fc.boolean(),
  })
  .filter(({ interval, compare }) => interval !== 'minute' || compare === 'previous')

function bucketsOf(request: typeof requests extends fc.Arbitrary<infer R> ? R : never) {
  const { zone, interval, compare, anchor, off, share, days, isRunning } = request
  const start = anchor + off * hourMs
  const length = days === undefined || interval === 'minute' ? hourMs + share * spans[interval] : days * dayMs
  const isOfDays = days !== undefined && interval !== 'minute'
  const from = isOfDays ? `${inZone(start, zone).toPlainDate()}` : new Date(start).toISOString()
  const to = isOfDays
    ? `${inZone(start, zone).toPlainDate().add({ days })}`
    : new Date(start + length).toISOString()
  const query = { interval, from, to, tz: zone }
  const last = Date.parse(inZone(Date.parse(to), zone).toInstant().toString())
  const now = new Date(isRunning || interval === 'minute' ? last - share * hourMs : last + dayMs)
  const buckets = readSeriesRange(isRunning ? { interval, from, tz: zone } : query, now)
  return { buckets, before: bucketsBefore(buckets, compare, zone, now), now }
}

/** Per bucket the buckets before that stand beside it. */
function besideEach(buckets: Buckets, before: BucketsBefore): Date[][] {
  const beside = Map.groupBy(before.starts, (_start, index) => before.besides[index])
  return buckets.starts.map((_start, index) => beside.get(index) ?? [])
}

describe('a range that is compared', () => {
  test('never overlaps the other one, consists of whole consecutive buckets, and keeps their order', () => {
    fc.assert(
      fc.property(requests, request => {
        const { buckets, before } = bucketsOf(request)
        const [first = before.end] = before.starts
        expect(before.starts.length).toBeGreaterThan(0)
        expect(Number(first)).toBeLessThan(Number(before.end))
        expect(Number(before.end)).toBeLessThanOrEqual(Number(buckets.starts[0]))
        const natural = bucketStarts(request.interval, Number(first), Number(before.end), request.zone)
        expect([...before.starts, before.end].map(Number)).toEqual(natural)
        const matched = before.besides.filter(index => index !== undefined)
        expect(matched).toEqual([...matched].sort((a, b) => a - b))
        expect(matched.length).toBeGreaterThan(0)
        if (before.soFar !== undefined) {
          expect(Number(before.soFar)).toBeGreaterThanOrEqual(Number(first))
          expect(Number(before.soFar)).toBeLessThanOrEqual(Number(before.end))
        }
      }),
      { numRuns: isNightly ? 300 : 75 },
    )
  })

  test('has each hour beside the same hour, each day beside the same day of the week, month or year', () => {
    fc.assert(
      fc.property(requests, request => {
        const { interval, zone, compare } = request
        const { buckets, before } = bucketsOf(request)
        const distances = new Set<number>()
        for (const [index, besides] of besideEach(buckets, before).entries()) {
          const own = inZone(buckets.starts[index] ?? 0, zone)
          for (const other of besides.map(start => inZone(start, zone))) {
            if (interval === 'minute' && buckets.starts.length > 60) expect(other.minute).toBe(own.minute)
            if (interval === 'hour') expect(other.hour).toBe(own.hour)
            if (interval === 'week') expect([other.dayOfWeek, own.dayOfWeek]).toEqual([1, 1])
            if (interval === 'month') expect([other.day, own.day]).toEqual([1, 1])
            const apart = other.toPlainDate().until(own.toPlainDate(), { largestUnit: 'days' }).days
            distances.add(apart)
            // Five or six weeks are compared with those just before, so that they don’t overlap.
            if (interval === 'minute' || interval === 'month' || interval === 'week') continue
            const isMatched = [28, 364].some(days => apart % days === 0)
            if (compare !== 'previous' && !isMatched) {
              expect(other.day === own.day || own.day > other.daysInMonth).toBe(true)
            }
          }
        }
        // By days and weeks, just before.
        if (compare === 'previous' && (interval === 'day' || interval === 'week')) {
          expect(before.end).toEqual(buckets.starts[0])
          expect(distances.size).toBe(1)
        }
      }),
      { numRuns: isNightly ? 300 : 75 },
    )
  })
})

describe('the range before', () => {
  const now = new Date('2026-11-27T15:20:00Z')
  const compared = (
    compare: Comparison,
    query: { interval?: SeriesInterval; from: string; to?: string; tz?: string },
    at = now,
  ) => {
    const { interval = 'day', tz = 'Europe/Berlin', ...limits } = query
    const buckets = readSeriesRange({ ...limits, interval, tz }, at)
    const before = bucketsBefore(buckets, compare, tz, at)
    const text = (moment: Date | undefined) =>
      moment && `${inZone(moment, tz).toPlainDateTime()}`.replace('T00:00:00', '').replace(/:00$/, '')
    const beside = besideEach(buckets, before).map(([start]) => text(start))
    return { from: text(before.starts[0]), to: text(before.end), soFar: text(before.soFar), beside }
  }

  test.each<[string, Comparison, string, string | undefined, string, string]>([
    ['fourteen days', 'previous', '2026-11-01', '2026-11-15', '2026-10-18', '2026-11-01'],
    ['seven days a year before: 364 days', 'year', '2026-11-20', '2026-11-27', '2025-11-21', '2025-11-28'],
    ['twenty-eight days a year before', 'year', '2026-10-31', '2026-11-28', '2025-11-01', '2025-11-29'],
    ['seven days a month before: 28 days', 'month', '2026-11-20', '2026-11-27', '2026-10-23', '2026-10-30'],
    [
      'thirty days a year before: the same dates',
      'year',
      '2026-10-29',
      '2026-11-28',
      '2025-10-29',
      '2025-11-28',
    ],
    ['October and all of September', 'month', '2026-10-01', '2026-11-01', '2026-09-01', '2026-10-01'],
    ['February and all of January', 'month', '2026-02-01', '2026-03-01', '2026-01-01', '2026-02-01'],
    [
      'February 2028, a leap year, and February 2027',
      'year',
      '2028-02-01',
      '2028-03-01',
      '2027-02-01',
      '2027-03-01',
    ],
    ['a quarter and the one before', 'month', '2026-07-01', '2026-10-01', '2026-04-01', '2026-07-01'],
    ['a year and the one before', 'year', '2024-01-01', '2025-01-01', '2023-01-01', '2024-01-01'],
    [
      '31 October and the last day of September',
      'month',
      '2026-10-31',
      '2026-11-01',
      '2026-09-30',
      '2026-10-01',
    ],
    [
      '29 February and the last day of February',
      'year',
      '2028-02-29',
      '2028-03-01',
      '2027-02-28',
      '2027-03-01',
    ],
    ['thirty days to the end of February', 'month', '2026-01-30', '2026-03-01', '2025-12-30', '2026-01-29'],
  ])('of %s', (_name, compare, from, to, expectedFrom, expectedTo) => {
    const at = new Date('2028-11-27T15:20:00Z')
    expect(compared(compare, { from, ...(to && { to }) }, at)).toMatchObject({
      from: expectedFrom,
      to: expectedTo,
    })
  })

  test('of seven days by hours has 05:00 beside 05:00, whole days earlier', () => {
    const { from, to, beside, soFar } = compared('previous', { interval: 'hour', from: '2026-11-21' })
    expect([from, to, soFar]).toEqual(['2026-11-14', '2026-11-20T17:00', '2026-11-20T16:15'])
    expect(beside[5]).toBe('2026-11-14T05:00')
    expect(beside.at(-1)).toBe('2026-11-20T16:00')
  })

  test('of a day on which clocks are set has an empty bucket where the other day has no such hour', () => {
    const spring = compared('previous', { interval: 'hour', from: '2026-03-29', to: '2026-03-30' })
    expect(spring.beside).toHaveLength(23)
    expect(spring.beside.slice(1, 3)).toEqual(['2026-03-28T01:00', '2026-03-28T03:00'])
    const after = compared('previous', { interval: 'hour', from: '2026-03-30', to: '2026-03-31' })
    expect(after.beside.slice(1, 4)).toEqual(['2026-03-29T01:00', undefined, '2026-03-29T03:00'])
    const autumn = compared('previous', { interval: 'hour', from: '2026-10-25', to: '2026-10-26' })
    expect(autumn.beside).toHaveLength(25)
    expect(autumn.beside.slice(1, 5)).toEqual([
      '2026-10-24T01:00',
      '2026-10-24T02:00',
      undefined,
      '2026-10-24T03:00',
    ])
  })

  test('of months of different lengths leaves out the days that one of them lacks', () => {
    const october = compared('month', { from: '2026-10-01', to: '2026-11-01' })
    expect(october.beside.slice(-2)).toEqual(['2026-09-30', undefined])
    const february = compared('month', { from: '2026-02-01', to: '2026-03-01' })
    expect([february.beside.at(-1), february.to]).toEqual(['2026-01-28', '2026-02-01'])
    const leap = compared('year', { from: '2028-01-01', to: '2028-06-01' }, new Date('2028-11-27T15:20:00Z'))
    expect(leap.beside.slice(58, 61)).toEqual(['2027-02-28', undefined, '2027-03-01'])
  })

  test('of months by month are as many months', () => {
    const years = { interval: 'month', from: '2025-11-15', to: '2026-02-15' } as const
    expect(compared('previous', years)).toMatchObject({ from: '2025-07-01', to: '2025-11-01' })
    expect(compared('year', years)).toMatchObject({ from: '2024-11-01', to: '2025-03-01' })
  })

  test('of a running month ends on the same day, and so far at the same time', () => {
    expect(compared('month', { from: '2026-11-01' })).toMatchObject({
      to: '2026-10-28',
      soFar: '2026-10-27T16:00',
    })
    const last = compared('month', { from: '2026-10-01' }, new Date('2026-10-31T12:00:00Z'))
    expect(last).toMatchObject({ from: '2026-09-01', to: '2026-10-01', soFar: '2026-10-01' })
    expect(compared('year', { interval: 'month', from: '2026-01-01' })).toMatchObject({
      from: '2025-01-01',
      to: '2025-12-01',
      soFar: '2025-11-27T16:00',
    })
  })
})
