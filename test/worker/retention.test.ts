import type { Pool } from 'pg'
import { beforeEach, expect, test } from 'vitest'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { dayMs } from '../../apps/shared/days.ts'
import type { DecodedVisit } from '../../apps/shared/visits/decode-batch.ts'
import { ensureVisitPartitions } from '../../apps/worker/maintenance/ensure-partitions.ts'
import { foldBreakdowns } from '../../apps/worker/maintenance/fold-breakdowns.ts'
import { foldQuarters } from '../../apps/worker/maintenance/fold-quarters.ts'
import { retireMinutes } from '../../apps/worker/maintenance/retention/retire-minutes.ts'
import { retireVisitors } from '../../apps/worker/maintenance/retention/retire-visitors.ts'
import { retireVisits } from '../../apps/worker/maintenance/retention/retire-visits.ts'
import type { VisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { openVisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import { repairCounts } from '../../apps/worker/verify/repair-counts.ts'
import { openPool } from '../support/hopcount.ts'
import { recordBatches } from '../support/record-visits.ts'
import { createTestDatabase } from '../support/test-database.ts'

const person = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0'
const bot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'

let pool: Pool
let knowledge: VisitKnowledge
let now: number

/** Retired data is gone afterwards, so each test has its own database. */
beforeEach(async () => {
  pool = openPool((await createTestDatabase()).url)
  knowledge = await openVisitKnowledge(pool)
  await ensureVisitPartitions(pool)
  now = Date.now()
})

function visit(linkId: number, daysAgo: number, n = 0): DecodedVisit {
  return {
    linkId,
    visitedAt: now - daysAgo * dayMs - n * 61_000,
    referrer: n % 2 === 0 ? undefined : `https://site-${n % 5}.example/`,
    userAgent: n % 4 === 3 ? bot : person,
    language: 'de',
    address: `85.1.1.${n % 200}`,
  }
}

async function record(visits: DecodedVisit[]): Promise<void> {
  await recordBatches(pool, knowledge, [{ producerId: newProducerId(), seq: 1, visits }])
}

/** The partitions that would exist if the worker had run on those days. */
async function makePastPartitions(...daysAgo: number[]): Promise<void> {
  for (const days of daysAgo)
    await pool.query(`SELECT ensure_visit_partitions((now() AT TIME ZONE 'UTC')::date - $1::integer, 1)`, [
      days,
    ])
}

async function everythingCounted(): Promise<unknown[]> {
  await foldBreakdowns(pool)
  const tables = ['link_totals', 'link_days', 'link_quarters', 'link_minutes', 'link_breakdowns']
  const answers: unknown[] = []
  for (const table of tables) answers.push((await pool.query(`SELECT * FROM ${table} ORDER BY 1, 2`)).rows)
  return answers
}

async function number(query: string): Promise<number> {
  return Number(Object.values((await pool.query(query)).rows[0] ?? {})[0])
}

test('retention removes raw visits of old days, with and without a partition, and changes no counts', async () => {
  await makePastPartitions(40, 21, 20)
  await record(
    [0, 1, 20, 21, 40, 100].flatMap(days =>
      Array.from({ length: 20 }, (_, n) => visit(1 + (n % 3), days, n % 5)),
    ),
  )
  const counted = await everythingCounted()
  expect(await retireVisits(pool, 0)).toBe(0)
  expect(await number('SELECT count(*) FROM visits')).toBe(120)
  expect(await retireVisits(pool, 20, now)).toBe(2)
  expect(await number('SELECT count(*) FROM visits')).toBe(60)
  expect(await everythingCounted()).toEqual(counted)
  expect(await compareCounts(pool, now)).toEqual([])
})

test('a late visit of a day already removed is counted, and removed by the next run', async () => {
  await makePastPartitions(40)
  await record([visit(1, 40), visit(1, 0)])
  await retireVisits(pool, 20, now)
  await record([visit(1, 40, 3), visit(2, 40, 1)])
  expect(await number('SELECT visits FROM link_totals WHERE link_id = 0')).toBe(4)
  expect(await compareCounts(pool, now)).toEqual([])
  expect(await number('SELECT count(*) FROM visits_default')).toBe(2)
  await retireVisits(pool, 20, now)
  expect(await number('SELECT count(*) FROM visits')).toBe(1)
  expect(await compareCounts(pool, now)).toEqual([])
})

test('differences in days without raw visits are found, and a repair leaves those days unchanged', async () => {
  await record([0, 40].flatMap(days => Array.from({ length: 12 }, (_, n) => visit(1 + (n % 3), days, n))))
  await foldBreakdowns(pool)
  await retireVisits(pool, 20, now)
  const whats = async () => (await compareCounts(pool, now)).map(difference => difference.what)
  const breaks = [
    [
      `UPDATE link_quarters SET visits = visits + 1 WHERE link_id = 1 AND quarter < now() - interval '30 days'`,
      /^quarters of day .* of link 1: visits$/,
    ],
    [
      `UPDATE link_days SET bots = bots + 1 WHERE link_id = 0 AND day < now() - interval '30 days'`,
      /^day .* of all links: sum of bots$/,
    ],
    [
      `UPDATE link_breakdowns SET breakdowns = '{"r": 1}' WHERE link_id = 2 AND day < now() - interval '30 days'`,
      /^day .* of link 2: sum of breakdown [rcbodl]$/,
    ],
  ] as const
  for (const [statement, what] of breaks) {
    expect((await pool.query(statement)).rowCount).toBeGreaterThan(0)
    expect(await whats()).toContainEqual(expect.stringMatching(what))
  }
  const older = `SELECT * FROM link_days WHERE day < now() - interval '30 days' ORDER BY 1, 2`
  const before = (await pool.query(older)).rows
  await pool.query('UPDATE link_totals SET visits = 0')
  await repairCounts(pool, now)
  expect((await pool.query(older)).rows).toEqual(before)
  expect(await number('SELECT visits FROM link_totals WHERE link_id = 1')).toBe(8)
})

test('a day’s visitors and salt are removed together; a later visit is counted, but not as a new visitor', async () => {
  await record([visit(1, 0, 0), visit(1, 0, 1), visit(1, 0, 1), visit(2, 0, 0)])
  expect(await number('SELECT uniques FROM link_totals WHERE link_id = 1')).toBe(2)
  const inTwoDays = now + 2 * dayMs
  const today = `(now() AT TIME ZONE 'UTC')::date`
  expect(await retireVisitors(pool, now)).toBe(0)
  expect(await retireVisitors(pool, inTwoDays)).toBe(2)
  expect(await number(`SELECT count(*) FROM visitor_salts WHERE day <= ${today}`)).toBe(0)
  expect(await number('SELECT count(*) FROM visitors')).toBe(0)

  // This worker still has the salt in memory; the other one has never seen it.
  await record([visit(1, 0, 7), visit(1, 0, 8)])
  knowledge = await openVisitKnowledge(pool)
  await record([visit(1, 0, 9)])
  expect(await number('SELECT visits FROM link_totals WHERE link_id = 1')).toBe(6)
  expect(await number('SELECT uniques FROM link_totals WHERE link_id = 1')).toBe(2)
  expect(await compareCounts(pool, now)).toEqual([])
})

test('data in use is retired later, and recording does not wait for it', async () => {
  await makePastPartitions(40)
  await record([visit(1, 40), visit(1, 0)])
  const reader = await pool.connect()
  await reader.query('BEGIN; LOCK TABLE visits, visitors IN ROW EXCLUSIVE MODE')
  const startedAt = performance.now()
  const retiring = Promise.all([retireVisits(pool, 20, now), retireVisitors(pool, now + 2 * dayMs)])
  await record([visit(1, 0)])
  expect(await retiring).toEqual([0, 0])
  expect(performance.now() - startedAt).toBeLessThan(10_000)
  expect(await number('SELECT count(*) FROM visitor_salts')).toBeGreaterThan(2)
  await reader.query('COMMIT')
  reader.release()
  expect(await retireVisits(pool, 20, now)).toBe(1)
  expect(await retireVisitors(pool, now + 2 * dayMs)).toBe(2)
  expect(await number('SELECT visits FROM link_totals WHERE link_id = 1')).toBe(3)
})

test('minutes are kept for a few days, their quarter hours for ever', async () => {
  await record([visit(1, 0), visit(1, 1), visit(1, 1.9)])
  const quarters = await number('SELECT sum(visits) FROM link_quarters')
  expect(await number('SELECT sum(visits) FROM link_minutes WHERE link_id = 1')).toBe(3)
  await retireMinutes(pool, now)
  expect(await number('SELECT sum(visits) FROM link_minutes WHERE link_id = 1')).toBe(3)
  await retireMinutes(pool, now + 4 * dayMs)
  expect(await number("SELECT count(*) FROM link_minutes WHERE minute < now() - interval '1 day'")).toBe(0)
  await retireMinutes(pool, now + 5 * dayMs)
  expect(await number('SELECT count(*) FROM link_minutes')).toBe(0)
  expect(await number('SELECT sum(visits) FROM link_quarters')).toBe(quarters)
})

test('folded quarter hours are hourly sums, including late visits, and can be rebuilt', async () => {
  await record(
    [0, 10, 30, 31].flatMap(days => Array.from({ length: 90 }, (_, n) => visit(1 + (n % 2), days, n))),
  )
  const hours = async () =>
    (
      await pool.query(
        `SELECT link_id, date_bin('1 hour', quarter, 'epoch'::timestamptz) AS hour, sum(visits) AS visits, sum(bots) AS bots, sum(previews) AS previews
         FROM link_quarters GROUP BY 1, 2 ORDER BY 1, 2`,
      )
    ).rows
  const unfolded = () =>
    number(
      `SELECT count(*) FROM link_quarters WHERE quarter < now() - interval '20 days' AND quarter <> date_bin('1 hour', quarter, 'epoch'::timestamptz)`,
    )
  const before = await hours()
  const recent = `SELECT * FROM link_quarters WHERE quarter > now() - interval '15 days' ORDER BY 1, 2`
  const recentBefore = (await pool.query(recent)).rows
  expect(await foldQuarters(pool, 0, now)).toBe(0)
  expect(await foldQuarters(pool, 20, now)).toBeGreaterThan(0)
  expect(await hours()).toEqual(before)
  expect(await unfolded()).toBe(0)
  expect((await pool.query(recent)).rows).toEqual(recentBefore)
  expect(await compareCounts(pool, now)).toEqual([])

  await record(Array.from({ length: 50 }, (_, n) => visit(1, 30, n)))
  expect(await compareCounts(pool, now)).toEqual([])
  expect(await foldQuarters(pool, 20, now)).toBeGreaterThan(0)
  expect(await unfolded()).toBe(0)
  expect(await compareCounts(pool, now)).toEqual([])

  await pool.query('UPDATE link_quarters SET visits = 1000 WHERE link_id = 2')
  await repairCounts(pool, now)
  expect(await compareCounts(pool, now)).toEqual([])
  expect(await unfolded()).toBe(0)
})

test('folding while late visits are recorded loses nothing, counts nothing twice and never deadlocks', async () => {
  const deadlocks = () => number('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()')
  const deadlocksBefore = await deadlocks()
  let recorded = 0
  for (let round = 0; round < 20; round++) {
    let recording = true
    const worker = async () => {
      for (let batch = 0; batch < 4; batch++) {
        const visits = Array.from({ length: 60 }, () =>
          visit(
            1 + Math.floor(Math.random() * 40),
            30 + Math.floor(Math.random() * 2),
            Math.floor(Math.random() * 300),
          ),
        )
        recorded += visits.length
        await record(visits)
      }
    }
    const folding = async () => {
      while (recording) await foldQuarters(pool, 20, now)
    }
    const foldings = [folding(), folding()]
    await Promise.all([worker(), worker()])
    recording = false
    await Promise.all(foldings)
  }
  await foldQuarters(pool, 20, now)
  expect(await compareCounts(pool, now)).toEqual([])
  expect(await number('SELECT sum(visits) FROM link_quarters WHERE link_id > 0')).toBe(recorded)
  await pool.query('SELECT pg_stat_force_next_flush()')
  expect(await deadlocks()).toBe(deadlocksBefore)
})
