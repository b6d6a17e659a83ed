import { expect, test } from 'vitest'
import { dayNumber } from '../../apps/shared/days.ts'
import type { DecodedVisit } from '../../apps/shared/visits/decode-batch.ts'
import { describeVisits } from '../../apps/worker/recording/describe/describe-visits.ts'
import { sliceByLink, sortedPlaces } from '../../apps/worker/recording/slice-visits.ts'
import { clearVisits, createVisitColumns } from '../../apps/worker/recording/visit-columns.ts'

const noon = Date.UTC(2026, 10, 23, 12)
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0'
const describeWith = {
  salts: new Map([[dayNumber(noon), 'salt']]),
  bounds: { from: 0, to: Number.MAX_SAFE_INTEGER },
}

function visits(count: number, userAgent: string): DecodedVisit[] {
  return Array.from({ length: count }, (_, i) => ({
    linkId: 2 ** 40 + i,
    visitedAt: noon - i,
    referrer: undefined,
    userAgent,
    address: `203.0.113.${i % 256}`,
  }))
}

test('columns keep their contents when they grow', () => {
  const columns = createVisitColumns()
  for (let batch = 0; batch < 40; batch++)
    describeVisits(columns, visits(1_000, firefox), { ...describeWith, findCountry: () => 7 })
  expect(columns.length).toBe(40_000)
  for (const place of [0, 4_095, 4_096, 39_999]) {
    expect(columns.linkIds[place]).toBe(2 ** 40 + (place % 1_000))
    expect(columns.visitedAt[place]).toBe(noon - (place % 1_000))
    expect(columns.countries[place]).toBe(7)
    expect(columns.visitors[2 * place]).toBe(columns.visitors[2 * (place % 1_000)])
  }
  expect(columns.userAgentTexts.visits).toEqual([40_000])
})

test('reused columns contain nothing of the previous transaction', () => {
  const columns = createVisitColumns()
  describeVisits(columns, visits(5_000, firefox), { ...describeWith, findCountry: () => 7 })
  expect(columns.visitors.some(word => word !== 0)).toBe(true)
  clearVisits(columns)
  describeVisits(columns, visits(5_000, 'curl/8.0'), { ...describeWith, findCountry: () => 0 })
  expect(columns.length).toBe(5_000)
  expect(columns.visitors.every(word => word === 0)).toBe(true)
  expect(columns.userAgentTexts.texts).toEqual(['curl/8.0'])
  expect(columns.countries.every(code => code === 0)).toBe(true)
})

test('only the places in the ranges are sorted, by link and then by time', () => {
  const columns = createVisitColumns()
  const linkIds = [5, 3, 5, 1, 3, 9]
  const described = visits(6, firefox).map((visit, i) => ({ ...visit, linkId: linkIds[i] ?? 0 }))
  describeVisits(columns, described, { ...describeWith, findCountry: () => 0 })
  const ranges = [
    { begin: 0, end: 3 },
    { begin: 4, end: 5 },
  ]
  expect([...sortedPlaces(columns, ranges)]).toEqual([4, 1, 2, 0])
})

test('slices contain all places in order, and each link’s in a single slice', () => {
  for (const linkOf of [
    (i: number) => i,
    (i: number) => i % 3,
    (i: number) => Math.floor(i / 8_192),
    (i: number) => (i < 15_000 ? 1 : i),
    () => 1,
  ]) {
    const columns = createVisitColumns()
    const described = visits(30_000, firefox).map((visit, i) => ({ ...visit, linkId: linkOf(i) }))
    describeVisits(columns, described, { ...describeWith, findCountry: () => 0 })
    const places = sortedPlaces(columns, [{ begin: 0, end: 30_000 }])
    const slices = sliceByLink(columns, places)
    expect(slices.flatMap(slice => [...slice])).toEqual([...places])
    const linksOf = slices.map(slice => new Set(slice.map(place => columns.linkIds[place] ?? 0)))
    const distinct = new Set(columns.linkIds.subarray(0, 30_000)).size
    expect(linksOf.reduce((sum, links) => sum + links.size, 0)).toBe(distinct)
    // No slice is longer than necessary: without its last link it would be too short.
    for (const slice of slices) {
      const last = columns.linkIds[slice.at(-1) ?? 0]
      expect(slice.filter(place => columns.linkIds[place] !== last).length).toBeLessThan(8_192)
    }
    for (const slice of slices.slice(0, -1)) expect(slice.length).toBeGreaterThanOrEqual(8_192)
  }
  expect(sliceByLink(createVisitColumns(), new Uint32Array(0))).toEqual([])
})
