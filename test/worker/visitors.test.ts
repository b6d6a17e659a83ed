/** Classes, breakdowns and unique visitors, as the worker writes them. */
import type { Pool } from 'pg'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import type { Breakdowns, StoredBreakdowns } from '../../apps/shared/breakdowns.ts'
import { addStored } from '../../apps/shared/breakdowns.ts'
import { inTransaction } from '../../apps/shared/database/in-transaction.ts'
import { dayMs } from '../../apps/shared/days.ts'
import type { DecodedVisit } from '../../apps/shared/visits/decode-batch.ts'
import { foldBreakdowns } from '../../apps/worker/maintenance/fold-breakdowns.ts'
import { describeVisits } from '../../apps/worker/recording/describe/describe-visits.ts'
import { daysOf, daysWithSalt, insertVisitors } from '../../apps/worker/recording/insert-visitors.ts'
import { createVisitColumns } from '../../apps/worker/recording/visit-columns.ts'
import { openVisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { openPool } from '../support/hopcount.ts'
import { recordBatches } from '../support/record-visits.ts'
import { createTestDatabase } from '../support/test-database.ts'

const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
const iphone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1'
const bot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
const preview = 'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)'

let pool: Pool
beforeAll(async () => {
  pool = openPool((await createTestDatabase()).url)
})
beforeEach(async () => {
  await pool.query(
    'TRUNCATE visits, visitors, texts, link_totals, link_days, link_quarters, link_minutes, link_breakdowns, breakdown_deltas, breakdown_tails, ledger, ledger_watermarks, set_aside_batches',
  )
})

/** As a separate worker. */
async function record(visits: DecodedVisit[]): Promise<void> {
  await recordBatches(pool, await openVisitKnowledge(pool), [{ producerId: newProducerId(), seq: 1, visits }])
}

function visit(userAgent: string | undefined, more: Partial<DecodedVisit> = {}): DecodedVisit {
  return { linkId: 1, visitedAt: Date.now(), referrer: undefined, userAgent, address: '203.0.113.1', ...more }
}

async function totals(linkId = 1) {
  const { rows } = await pool.query(
    'SELECT visits, bots, previews, uniques FROM link_totals WHERE link_id = $1',
    [linkId],
  )
  return rows[0]
}

async function breakdownsOf(linkId: number): Promise<Record<string, [visits: number, humans: number]>> {
  const { rows } = await pool.query<{ breakdowns: StoredBreakdowns }>(
    `SELECT breakdowns FROM link_breakdowns WHERE link_id = $1
     UNION ALL SELECT breakdowns FROM breakdown_deltas WHERE link_id = $1`,
    [linkId],
  )
  const sum: Breakdowns = new Map()
  for (const row of rows) addStored(sum, row.breakdowns)
  return Object.fromEntries([...sum].map(([key, { visits, humans }]) => [key, [visits, humans]]))
}

test('humans, bots and previews are distinguished, and add up to the visits, per link and overall', async () => {
  await record([
    visit(chrome),
    visit(chrome),
    visit(bot),
    visit(preview),
    visit(undefined),
    visit('curl/8.5.0'),
  ])
  await record([visit(iphone, { linkId: 2 })])
  expect(await totals(1)).toEqual({ visits: 6, bots: 3, previews: 1, uniques: 1 })
  expect(await totals(0)).toEqual({ visits: 7, bots: 3, previews: 1, uniques: 2 })
  for (const table of ['link_days', 'link_quarters', 'link_minutes']) {
    const { rows } = await pool.query(
      `SELECT sum(visits)::int AS visits, sum(bots)::int AS bots, sum(previews)::int AS previews FROM ${table} WHERE link_id = 1`,
    )
    expect(rows, table).toEqual([{ visits: 6, bots: 3, previews: 1 }])
  }
})

test('a person is one unique visitor per link and day, however many visits in however many batches', async () => {
  await Promise.all(Array.from({ length: 6 }, () => record([visit(chrome), visit(chrome)])))
  await record([visit(chrome, { address: '203.0.113.2' }), visit(iphone)])
  await record([visit(chrome, { visitedAt: Date.now() - dayMs }), visit(chrome, { linkId: 2 })])
  expect(await totals(1)).toMatchObject({ visits: 15, uniques: 4 })
  expect(await totals(2)).toMatchObject({ visits: 1, uniques: 1 })
  expect(await totals(0)).toMatchObject({ visits: 16, uniques: 5 })
  const { rows } = await pool.query('SELECT uniques FROM link_days WHERE link_id = 1 ORDER BY day')
  expect(rows).toEqual([{ uniques: 1 }, { uniques: 3 }])
})

test('transactions with the same visitors never deadlock, however they cut their slices', async () => {
  const knowledge = await openVisitKnowledge(pool)
  const describeWith = { ...knowledge, salts: await knowledge.salts(), bounds: await knowledge.timeBounds() }
  const deadlocks = async () => {
    await pool.query('SELECT pg_stat_force_next_flush()')
    const { rows } = await pool.query<{ deadlocks: number }>(
      'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
    )
    return rows[0]?.deadlocks
  }
  const before = await deadlocks()
  for (let round = 0; round < 10; round++) {
    const addresses = Array.from({ length: 1_000 }, (_, i) => `198.${18 + (i >> 8)}.${round}.${i % 256}`)
    const columns = createVisitColumns()
    const add = (linkId: number, visitedAt: number) => {
      const visits = addresses.map(address => visit(chrome, { linkId, visitedAt, address }))
      describeVisits(columns, visits, describeWith)
    }
    // The link with the lower number on the later day: in order of links it comes first, in order of days last.
    add(2, Date.now())
    add(3, Date.now() - dayMs)
    const places = Uint32Array.from({ length: 2_000 }, (_, place) => place)
    const insert = (slices: Uint32Array[]) =>
      inTransaction(pool, async client => {
        const days = await daysWithSalt(client, daysOf(columns, [{ begin: 0, end: 2_000 }]))
        return insertVisitors(client, columns, slices, days)
      })
    const uniques = await Promise.all([
      insert([places]),
      insert([places.subarray(0, 1_000), places.subarray(1_000)]),
    ])
    const visitors = uniques.flat().flatMap(slice => slice.visitors)
    expect(visitors.reduce((sum, count) => sum + count, 0)).toBe(2_000)
  }
  expect(await deadlocks()).toBe(before)
})

test('the same person has a different hash every day, and a visit of a day without its salt adds no unique visitor', async () => {
  await record([visit(chrome), visit(chrome, { visitedAt: Date.now() - dayMs })])
  const hashes = await pool.query('SELECT DISTINCT visitor::text FROM visitors')
  expect(hashes.rows).toHaveLength(2)
  await record([visit(chrome, { visitedAt: Date.now() - 3 * dayMs })])
  expect(await totals()).toMatchObject({ visits: 3, uniques: 2 })
})

test('breakdowns show where visits come from; folding does not change them', async () => {
  await record([
    visit(chrome, { referrer: 'https://www.google.co.uk/search', language: 'en-GB', address: '81.2.69.142' }),
    visit(iphone, { referrer: 'https://blog.test/a', language: 'de', address: '::ffff:81.2.69.142' }),
  ])
  await record([visit(bot, { referrer: 'not a url', address: undefined, language: '*' })])
  const expected = {
    rGoogle: [1, 1],
    'rblog.test': [1, 1],
    r: [1, 0],
    hsearch: [1, 1],
    hother: [1, 1],
    hdirect: [1, 0],
    cGB: [2, 2],
    c: [1, 0],
    bChrome: [1, 1],
    bSafari: [1, 1],
    bBot: [1, 0],
    oWindows: [1, 1],
    oiOS: [1, 1],
    o: [1, 0],
    ddesktop: [1, 1],
    dmobile: [1, 1],
    d: [1, 0],
    len: [1, 1],
    lde: [1, 1],
    l: [1, 0],
    nGooglebot: [1, 0],
    gsearch: [1, 0],
  }
  for (const linkId of [1, 0]) expect(await breakdownsOf(linkId)).toEqual(expected)
  expect(await foldBreakdowns(pool)).toBe(4)
  for (const linkId of [1, 0]) expect(await breakdownsOf(linkId)).toEqual(expected)
  expect(await foldBreakdowns(pool)).toBe(0)
  const { rows } = await pool.query(
    'SELECT country, language FROM visits ORDER BY country NULLS LAST, language',
  )
  expect(rows).toEqual([
    { country: 7 * 27 + 2, language: 4 * 27 + 5 },
    { country: 7 * 27 + 2, language: 5 * 27 + 14 },
    { country: null, language: null },
  ])
})

test('more deltas than fit in one transaction are folded, even those of a single day', async () => {
  await pool.query(`INSERT INTO breakdown_deltas (link_id, day, breakdowns)
                    SELECT link_id, '2026-01-02', '{"cGB":[2,1]}'
                    FROM generate_series(1, 3) AS link_id, generate_series(1, 1500)`)
  const stopped = await foldBreakdowns(pool, AbortSignal.abort())
  expect(stopped).toBeLessThan(4_500)
  expect(await foldBreakdowns(pool)).toBe(4_500 - stopped)
  const { rows } = await pool.query(
    'SELECT link_id, breakdowns, (SELECT count(*) FROM breakdown_deltas) AS left FROM link_breakdowns ORDER BY link_id',
  )
  expect(rows).toEqual([1, 2, 3].map(link_id => ({ link_id, breakdowns: { cGB: [3_000, 1_500] }, left: 0 })))
})

test('a reader sees every visit once while breakdowns are recorded and folded', async () => {
  let busy = true
  let recorded = 0
  const folding = (async () => {
    while (busy) await foldBreakdowns(pool)
  })()
  const recording = (async () => {
    for (let i = 0; i < 60; i++) {
      await record([visit(chrome), visit(bot, { linkId: 2 })])
      recorded++
    }
    busy = false
  })()
  let before = 0
  while (busy) {
    const atLeast = recorded
    const counts = await breakdownsOf(0)
    const seen = (counts.bChrome?.[0] ?? 0) + (counts.bBot?.[0] ?? 0)
    expect(seen).toBeGreaterThanOrEqual(Math.max(before, 2 * atLeast))
    expect(seen % 2).toBe(0)
    before = seen
  }
  await Promise.all([folding, recording])
  expect(await breakdownsOf(0)).toMatchObject({ bChrome: [60, 60], bBot: [60, 0] })
})

test('no table but visitors contains an address or a hash of one', async () => {
  await record([visit(chrome, { address: '198.51.100.77' })])
  const { rows } = await pool.query<{ row: string }>(
    `SELECT to_jsonb(visit)::text AS row FROM visits AS visit UNION ALL SELECT to_jsonb(text)::text FROM texts AS text
     UNION ALL SELECT to_jsonb(delta)::text FROM breakdown_deltas AS delta`,
  )
  const { visitor } =
    (await pool.query<{ visitor: string }>('SELECT visitor::text FROM visitors')).rows[0] ?? {}
  expect(visitor).toMatch(/^-?\d{15,}$/)
  for (const { row } of rows) {
    expect(row).not.toContain('198.51.100.77')
    expect(row).not.toContain(visitor)
  }
})
