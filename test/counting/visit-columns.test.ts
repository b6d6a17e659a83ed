import { expect, test } from 'vitest'
import type { DecodedVisit } from '../../apps/shared/decode-batch.ts'
import { dayOf, describeVisits } from '../../apps/worker/describe-visits.ts'
import { sortedPlaces } from '../../apps/worker/sum-visits.ts'
import { clearVisits, createVisitColumns } from '../../apps/worker/visit-columns.ts'

const noon = Date.UTC(2026, 10, 23, 12)
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0'
const salts = new Map([[dayOf(noon), 'salt']])

function visits(count: number, userAgent: string): DecodedVisit[] {
  return Array.from({ length: count }, (_, i) => ({
    linkId: 2 ** 40 + i,
    visitedAt: noon - i,
    referrer: undefined,
    userAgent,
    address: `203.0.113.${i % 256}`,
  }))
}

test('columns that grow keep what they hold', () => {
  const columns = createVisitColumns()
  for (let batch = 0; batch < 40; batch++) describeVisits(columns, visits(1_000, firefox), () => 7, salts)
  expect(columns.length).toBe(40_000)
  for (const place of [0, 4_095, 4_096, 39_999]) {
    expect(columns.linkIds[place]).toBe(2 ** 40 + (place % 1_000))
    expect(columns.visitedAt[place]).toBe(noon - (place % 1_000))
    expect(columns.countries[place]).toBe(7)
    expect(columns.visitors[2 * place]).toBe(columns.visitors[2 * (place % 1_000)])
  }
  expect(columns.userAgentTexts.visits).toEqual([40_000])
})

test('columns that are used again know nothing of the transaction before', () => {
  const columns = createVisitColumns()
  describeVisits(columns, visits(5_000, firefox), () => 7, salts)
  expect(columns.visitors.some(word => word !== 0)).toBe(true)
  clearVisits(columns)
  describeVisits(columns, visits(5_000, 'curl/8.0'), () => 0, salts)
  expect(columns.length).toBe(5_000)
  expect(columns.visitors.every(word => word === 0)).toBe(true)
  expect(columns.userAgentTexts.texts).toEqual(['curl/8.0'])
  expect(columns.countries.every(code => code === 0)).toBe(true)
})

test('places are sorted by link, then time, and only those of the ranges', () => {
  const columns = createVisitColumns()
  const linkIds = [5, 3, 5, 1, 3, 9]
  const described = visits(6, firefox).map((visit, i) => ({ ...visit, linkId: linkIds[i] ?? 0 }))
  describeVisits(columns, described, () => 0, salts)
  const ranges = [
    { begin: 0, end: 3 },
    { begin: 4, end: 5 },
  ]
  expect([...sortedPlaces(columns, ranges)]).toEqual([4, 1, 2, 0])
})
