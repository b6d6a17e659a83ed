/** Promise 10: a breakdown shows every frequent value with its exact count, however slowly its visits arrived. */
import fc from 'fast-check'
import type { Pool } from 'pg'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { sumDays } from '../../apps/api/stats/breakdowns/breakdown-queries.ts'
import { breakdownValues, uncertaintyOf } from '../../apps/api/stats/breakdowns/breakdown-values.ts'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import type { Breakdowns, StoredBreakdowns } from '../../apps/shared/breakdowns.ts'
import { addCount, dimensions, listedValues } from '../../apps/shared/breakdowns.ts'
import { databaseOn } from '../../apps/shared/database/query-builder.ts'
import { dayMs } from '../../apps/shared/days.ts'
import { foldBreakdowns } from '../../apps/worker/maintenance/fold-breakdowns.ts'
import { retireVisits } from '../../apps/worker/maintenance/retention/retire-visits.ts'
import { insertDeltas } from '../../apps/worker/recording/add-to-aggregates.ts'
import { addDelta, noDeltas } from '../../apps/worker/recording/sum-visits.ts'
import type { VisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { openVisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import { repairCounts } from '../../apps/worker/verify/repair-counts.ts'
import { openPool } from '../support/hopcount.ts'
import { recordBatches } from '../support/record-visits.ts'
import { createTestDatabase } from '../support/test-database.ts'

const today = Math.floor(Date.now() / dayMs)
const link = 7

let pool: Pool
let knowledge: VisitKnowledge
beforeAll(async () => {
  pool = openPool((await createTestDatabase()).url)
  knowledge = await openVisitKnowledge(pool)
})
beforeEach(async () => {
  await pool.query(
    `TRUNCATE visits, visitors, link_totals, link_days, link_quarters, link_minutes, link_breakdowns, breakdown_deltas,
              breakdown_tails, ledger, ledger_watermarks, set_aside_batches;
     UPDATE retention SET raw_visits_from = DEFAULT`,
  )
})

/** Visits by humans, by key, as one transaction of a worker adds them. */
async function add(visits: Record<string, number>, day = today): Promise<void> {
  const breakdowns: Breakdowns = new Map()
  for (const [key, count] of Object.entries(visits)) addCount(breakdowns, key, count, count)
  const deltas = noDeltas()
  addDelta(deltas, link, day, breakdowns)
  const client = await pool.connect()
  try {
    await insertDeltas(client, deltas)
  } finally {
    client.release()
  }
}

/** Breakdowns as the API reads them, with what it reports as uncertain. */
async function read(days: { from: number; to: number } = { from: today, to: today }, limit = 100) {
  const range = { from: new Date(days.from * dayMs), to: new Date((days.to + 1) * dayMs) }
  const { breakdowns } = await sumDays(databaseOn(pool), link, range, { named: limit, keys: [] })
  const values = breakdownValues(breakdowns)
  return {
    ...Object.fromEntries(
      dimensions.map(dimension => [
        dimension,
        Object.fromEntries(values[dimension].map(({ value, visits }) => [value, visits])),
      ]),
    ),
    uncertain: uncertaintyOf(breakdowns, [...dimensions], limit).uncertain,
  } as Record<(typeof dimensions)[number], Record<string, number>> & { uncertain: unknown }
}

/** The `limit` most frequent values; the order of equal ones does not matter. */
function topCounts(counts: Iterable<number>, limit: number): number[] {
  return [...counts].sort((a, b) => b - a).slice(0, limit)
}

function sumOf(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

test('every visit of a value that arrives slowly, behind a hundred others, is counted', async () => {
  await add(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`rhost-${i}.test`, 10])))
  await foldBreakdowns(pool)
  for (let fold = 0; fold < 16; fold++) {
    await add({ rGoogle: 5, r: 4 })
    await foldBreakdowns(pool)
  }
  const { referrer } = await read()
  expect(referrer).toMatchObject({ Google: 80, '': 64, 'host-99.test': 10 })
  expect(referrer['*']).toBeUndefined()
})

test('every country is listed: a closed set is never truncated', async () => {
  const countries = Array.from(
    { length: 26 * 26 },
    (_, i) => `c${String.fromCharCode(65 + i / 26, 65 + (i % 26))}`,
  )
  await add(Object.fromEntries(countries.map(key => [key, 3])))
  await foldBreakdowns(pool)
  const { country } = await read()
  expect(Object.keys(country)).toHaveLength(676)
  expect(new Set(Object.values(country))).toEqual(new Set([3]))
})

test('thousands of made-up referrers take no visits from other referrers, whenever they arrive', async () => {
  const madeUp = (from: number, to: number) =>
    Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`rspam-${from + i}.test`, 1]))
  const real: Record<string, number> = Object.fromEntries(
    Array.from({ length: 120 }, (_, i) => [`rreal-${i}.test`, 0]),
  )
  const names = Object.keys(real)
  await add(madeUp(0, 3_000))
  await foldBreakdowns(pool)
  for (let fold = 0; fold < 60; fold++) {
    const visits = Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [names[(fold * 7 + i * i) % names.length] ?? '', 1]),
    )
    for (const [key, count] of Object.entries(visits)) real[key] = (real[key] ?? 0) + count
    await add({ ...visits, ...madeUp(3_000 + fold * 50, 3_050 + fold * 50) })
    await foldBreakdowns(pool)
  }
  const { referrer, uncertain } = await read()
  for (const [key, count] of Object.entries(real)) {
    // A value with one visit is no more frequent than a made-up one.
    if (count > 1) expect(referrer[key.slice(1)], key).toBe(count)
  }
  expect(sumOf(referrer)).toBe(3_000 + 60 * 50 + sumOf(real))
  expect(uncertain).toBeUndefined()
})

test('the hundred most frequent values are exact for any order, batching and number of values', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        values: fc.integer({ min: 1, max: 3_000 }),
        visits: fc.integer({ min: 1, max: 6_000 }),
        perFold: fc.constantFrom(1, 7, 60, 999, 10_000),
        skew: fc.double({ min: 0.3, max: 6, noNaN: true }),
        seed: fc.nat(),
      }),
      async ({ values, visits, perFold, skew, seed }) => {
        await pool.query('TRUNCATE link_breakdowns, breakdown_deltas, breakdown_tails')
        // With one visit per fold, each visit needs a transaction.
        const count = Math.min(visits, perFold * 60)
        const expected = new Map<string, number>()
        let state = seed % 2_147_483_646
        for (let done = 0; done < count; ) {
          const fold: Record<string, number> = {}
          for (let i = 0; i < perFold && done < count; i++, done++) {
            state = (state * 48_271 + 11) % 2_147_483_647
            const value = `v${Math.floor((state / 2_147_483_647) ** skew * values)}.test`
            fold[`r${value}`] = (fold[`r${value}`] ?? 0) + 1
            expected.set(value, (expected.get(value) ?? 0) + 1)
          }
          await add(fold)
          await foldBreakdowns(pool)
        }
        const { referrer, uncertain } = await read()
        expect(sumOf(referrer)).toBe(count)
        const { '*': _, ...named } = referrer
        for (const [value, found] of Object.entries(named)) {
          if (found >= count / 100) expect(found, value).toBe(expected.get(value))
        }
        expect(topCounts(Object.values(named), 100)).toEqual(topCounts(expected.values(), 100))
        expect(uncertain).toBeUndefined()
      },
    ),
    { numRuns: 25 },
  )
})

test('the number of values in a row and the size of the rows that a transaction adds are bounded', async () => {
  await add(Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`rspam-${i}.test`, 1 + (i % 3)])))
  const deltas = await pool.query<{ breakdowns: StoredBreakdowns }>('SELECT breakdowns FROM breakdown_deltas')
  for (const { breakdowns } of deltas.rows)
    expect(Object.keys(breakdowns).length).toBeLessThanOrEqual(listedValues)
  await foldBreakdowns(pool)
  const { rows } = await pool.query<{ breakdowns: StoredBreakdowns }>(
    'SELECT breakdowns FROM link_breakdowns',
  )
  expect(rows).toHaveLength(1)
  // Plus the sum of the other values, and the bound on each of them.
  expect(Object.keys(rows[0]?.breakdowns ?? {})).toHaveLength(listedValues + 2)
  const tails = await pool.query('SELECT count(*)::int, sum(visits)::int AS visits FROM breakdown_tails')
  expect(tails.rows[0].count).toBe(5_000 - listedValues)
})

test('a value’s visits over several days are complete even if only one of the days lists it', async () => {
  const yesterday = today - 1
  const others = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`rhost-${i}.test`, 20]))
  await add({ ...others, 'rslow.test': 3 }, yesterday)
  await foldBreakdowns(pool)
  await add({ 'rslow.test': 5_000 })
  await foldBreakdowns(pool)
  // Neither folded nor listed yet.
  await add({ 'rslow.test': 2 }, yesterday)
  const { referrer } = await read({ from: yesterday, to: today }, 10)
  expect(referrer['slow.test']).toBe(5_005)
  expect(sumOf(referrer)).toBe(500 * 20 + 5_005)
})

test('a reader sees every visit once while values move between row and tail', async () => {
  await add(Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`rhost-${i}.test`, 2])))
  await foldBreakdowns(pool)
  let added = 1_200
  let busy = true
  const folding = (async () => {
    for (let round = 0; round < 60; round++) {
      await add({ [`rhost-${(round * 37) % 600}.test`]: 3, 'rclimber.test': 1 })
      added += 4
      await foldBreakdowns(pool)
    }
    busy = false
  })()
  while (busy) {
    const atLeast = added
    const sum = sumOf((await read()).referrer)
    expect(sum).toBeGreaterThanOrEqual(atLeast - 4)
    expect(sum).toBeLessThanOrEqual(added + 4)
    expect(sum % 4).toBe(0)
  }
  await folding
  expect((await read()).referrer['climber.test']).toBe(60)
})

test('tails are retired with raw visits; from then on, uncertain counts are reported', async () => {
  const old = today - 5
  await add(Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`rhost-${i}.test`, 900 - i])), old)
  await foldBreakdowns(pool)
  await retireVisits(pool, 2)
  expect((await pool.query('SELECT FROM breakdown_tails')).rowCount).toBe(0)
  expect(await read({ from: old, to: old })).toMatchObject({
    referrer: { 'host-0.test': 900, 'host-99.test': 801 },
  })
  expect((await read({ from: old, to: old })).uncertain).toBeUndefined()
  // Late visits of a value that is no longer listed: it had at most 500 before.
  await add({ 'rhost-700.test': 6 }, old)
  await foldBreakdowns(pool)
  const { referrer, uncertain } = await read({ from: old, to: old })
  expect(sumOf(referrer)).toBe((900 * 901) / 2 + 6)
  expect(uncertain).toEqual({ referrer: { missing_at_most: 506, unnamed_at_most: 506 } })
})

test('rows written before tails existed report how uncertain they are', async () => {
  await pool.query(
    `INSERT INTO link_breakdowns (link_id, day, breakdowns, listed) VALUES ($1, current_date, '{"rGoogle":90,"r*":[10,4]}', 100)`,
    [link],
  )
  await add({ rBing: 3 })
  await foldBreakdowns(pool)
  const { referrer, uncertain } = await read()
  expect(referrer).toEqual({ Google: 90, Bing: 3, '*': 10 })
  expect(uncertain).toEqual({ referrer: { missing_at_most: 10, unnamed_at_most: 10 } })
})

test('verify finds a breakdown that lost a frequent value, listed or not, and a repair restores it', async () => {
  const now = Date.now()
  const visits = Array.from({ length: 1_500 }, (_, i) => ({
    linkId: link,
    visitedAt: now,
    referrer: i % 3 === 0 ? 'https://frequent.test/' : `https://host-${i}.test/`,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
  }))
  await recordBatches(pool, knowledge, [{ producerId: newProducerId(), seq: 1, visits }])
  await foldBreakdowns(pool)
  expect(await compareCounts(pool, now)).toEqual([])
  for (const damage of [
    // Moved to "other", as a wrong rule for cutting rows would do.
    `UPDATE link_breakdowns SET breakdowns = replace(breakdowns::text, '"rfrequent.test"', '"r*"')::json`,
    `UPDATE link_breakdowns SET breakdowns = (breakdowns::jsonb - 'rfrequent.test' - 'r~' || '{"r*": 1100}')::json;
     TRUNCATE breakdown_tails`,
    `DELETE FROM breakdown_tails WHERE key LIKE 'rhost-1%'`,
    `UPDATE breakdown_tails SET visits = visits + 1, humans = humans + 1`,
  ]) {
    await pool.query(damage)
    const found = (await compareCounts(pool, now)).map(difference => difference.what)
    expect(found, damage).toContainEqual(expect.stringMatching(/^day .* of link 7: breakdown r/))
    await repairCounts(pool, now)
    expect(await compareCounts(pool, now), damage).toEqual([])
    await foldBreakdowns(pool)
    expect(await compareCounts(pool, now), damage).toEqual([])
  }
})
