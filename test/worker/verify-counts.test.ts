import type { Pool } from 'pg'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { dayMs } from '../../apps/shared/days.ts'
import type { DecodedVisit } from '../../apps/shared/visits/decode-batch.ts'
import { foldBreakdowns } from '../../apps/worker/maintenance/fold-breakdowns.ts'
import type { VisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { openVisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import { repairCounts } from '../../apps/worker/verify/repair-counts.ts'
import { openPool } from '../support/hopcount.ts'
import { recordBatches } from '../support/record-visits.ts'
import { createTestDatabase } from '../support/test-database.ts'

const agents = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
  undefined,
]

let pool: Pool
let knowledge: VisitKnowledge
let now: number

beforeAll(async () => {
  pool = openPool((await createTestDatabase()).url)
  knowledge = await openVisitKnowledge(pool)
})

/** Three links, three days, every class of visitor; some breakdowns are folded, some are not. */
beforeEach(async () => {
  await pool.query(
    'TRUNCATE visits, visitors, link_totals, link_days, link_quarters, link_minutes, link_breakdowns, breakdown_deltas, breakdown_tails, ledger, ledger_watermarks, set_aside_batches',
  )
  now = Date.now()
  const producerId = newProducerId()
  await recordBatches(pool, knowledge, [{ producerId, seq: 1, visits: visitsOf([1, 2, 3], 60) }])
  await foldBreakdowns(pool)
  await recordBatches(pool, knowledge, [{ producerId, seq: 2, visits: visitsOf([2, 3], 40) }])
})

function visitsOf(links: number[], count: number): DecodedVisit[] {
  return Array.from({ length: count }, (_, i) => ({
    linkId: links[i % links.length] ?? 0,
    visitedAt: now - (i % 7) * 37_000 - (i % 4 === 3 ? 40 : i % 2) * dayMs,
    referrer: i % 3 === 0 ? undefined : `https://site-${i % 5}.example/page/${i}`,
    userAgent: agents[i % agents.length],
    language: ['de-CH', 'en', undefined][i % 3],
    address: `85.1.${i % 3}.${i % 11}`,
  }))
}

async function differences(): Promise<string[]> {
  return (await compareCounts(pool, now)).map(difference => difference.what)
}

test('what workers record is consistent, and a repair changes nothing', async () => {
  expect(await differences()).toEqual([])
  const repaired = await repairCounts(pool, now)
  expect(Object.values(repaired)).toEqual([0, 0, 0, 0, 0])
  expect(await differences()).toEqual([])
})

const today = `(now() AT TIME ZONE 'UTC')::date`

test.each([
  ['a total', 'UPDATE link_totals SET visits = visits + 1 WHERE link_id = 1', 'total of link 1: visits'],
  ['a missing total', 'DELETE FROM link_totals WHERE link_id = 2', 'total of link 2: visits'],
  [
    'a total without visits',
    `INSERT INTO link_totals (link_id, visits, first_visit, last_visit) VALUES (9, 5, now(), now())`,
    'total of link 9: visits',
  ],
  ['bots in a total', 'UPDATE link_totals SET bots = bots + 1 WHERE link_id = 1', 'total of link 1: bots'],
  [
    'unique visitors in a total',
    'UPDATE link_totals SET uniques = uniques - 1 WHERE link_id = 1',
    'total of link 1: unique visitors',
  ],
  [
    'the total of all links',
    'UPDATE link_totals SET visits = 1 WHERE link_id = 0',
    'total of all links: sum of visits',
  ],
  [
    'a first visit',
    `UPDATE link_totals SET first_visit = first_visit - interval '1 second' WHERE link_id = 3`,
    'total of link 3: first visit',
  ],
  [
    'a last visit',
    'UPDATE link_totals SET last_visit = now() WHERE link_id = 3',
    'total of link 3: last visit',
  ],
  [
    'the last visit of all links',
    `UPDATE link_totals SET last_visit = last_visit - interval '1 ms' WHERE link_id = 0`,
    'total of all links: last visit',
  ],
  ['a day', 'UPDATE link_days SET visits = visits + 2 WHERE link_id = 1', /^day .* of link 1: visits$/],
  [
    'a missing day',
    `DELETE FROM link_days WHERE link_id = 1 AND day < ${today} - 30`,
    /^day .* of link 1: visits$/,
  ],
  [
    'a day without visits',
    `INSERT INTO link_days VALUES (9, '2026-01-01', 1, 0, 0, 0)`,
    'day 2026-01-01 of link 9: visits',
  ],
  [
    'a day of all links',
    'UPDATE link_days SET previews = previews + 1 WHERE link_id = 0',
    /^day .* of all links: previews$/,
  ],
  [
    'unique visitors of a day',
    `UPDATE link_days SET uniques = 77 WHERE link_id = 3 AND day >= ${today} - 1`,
    /^day .* of link 3: unique visitors$/,
  ],
  [
    'a quarter hour',
    'UPDATE link_quarters SET visits = 99 WHERE link_id = 3',
    /^quarter .* of link 3: visits$/,
  ],
  [
    'bots in a quarter hour',
    'UPDATE link_quarters SET bots = 99 WHERE link_id = 0',
    /^quarter .* of all links: bots$/,
  ],
  [
    'a quarter hour without visits',
    `INSERT INTO link_quarters VALUES (4, '2026-01-01', 5)`,
    'quarter 2026-01-01 00:00 of link 4: visits',
  ],
  ['missing quarter hours', 'DELETE FROM link_quarters WHERE link_id = 1', /^quarter .* of link 1: visits$/],
  [
    'a minute',
    'UPDATE link_minutes SET visits = visits + 1 WHERE link_id = 1',
    /^minute .* of link 1: visits$/,
  ],
  ['missing minutes', 'DELETE FROM link_minutes', /^minute .* of all links: visits$/],
  [
    'a breakdown',
    `UPDATE link_breakdowns SET breakdowns = replace(breakdowns::text, '"bFirefox"', '"bLynx"')::json WHERE link_id = 1`,
    /^day .* of link 1: breakdown b/,
  ],
  [
    'humans in a breakdown',
    `UPDATE link_breakdowns SET breakdowns = regexp_replace(breakdowns::text, '"bBot":\\[(\\d+),0\\]', '"bBot":[\\1,1]')::json WHERE link_id = 0`,
    /^day .* of all links: humans in breakdown bBot$/,
  ],
  ['missing breakdowns', 'DELETE FROM link_breakdowns WHERE link_id = 2', /^day .* of link 2: breakdown /],
  [
    'breakdowns without visits',
    `INSERT INTO link_breakdowns VALUES (9, '2026-01-01', '{"r": 1}', 400)`,
    'day 2026-01-01 of link 9: breakdowns without visits',
  ],
  [
    'a breakdown added twice',
    'INSERT INTO breakdown_deltas SELECT * FROM breakdown_deltas',
    /^day .* of link 3: breakdown /,
  ],
  [
    'a raw visit that was not counted',
    `INSERT INTO visits (link_id, visited_at) VALUES (2, now())`,
    /^day .* of link 2: visits$/,
  ],
])('a difference in %s is found, and repaired', async (_, statement, what) => {
  const broken = await pool.query(statement)
  expect(broken.rowCount).toBeGreaterThan(0)
  const found = await differences()
  expect(found).toContainEqual(typeof what === 'string' ? what : expect.stringMatching(what))
  const repaired = await repairCounts(pool, now)
  expect(Object.values(repaired).some(rows => rows > 0)).toBe(true)
  // The ledger can't be rebuilt from anything else.
  const left = statement.includes('INSERT INTO visits') ? ['sum of the ledger'] : []
  expect(await differences()).toEqual(left)
})

test('a difference in the ledger is found', async () => {
  await pool.query('UPDATE ledger SET counted = counted - 1 WHERE seq = 2')
  expect(await compareCounts(pool, now)).toEqual([{ what: 'sum of the ledger', expected: 100, found: 99 }])
})

test('a repair applies today’s rules to the raw visits, and keeps unique visitors', async () => {
  await pool.query(`
    UPDATE link_days SET bots = 0, previews = 0;
    UPDATE link_quarters SET bots = 0, previews = 0;
    UPDATE link_minutes SET bots = 0, previews = 0;
    UPDATE link_totals SET bots = 0, previews = 0;
    DELETE FROM breakdown_deltas;
    DELETE FROM link_breakdowns;
    INSERT INTO link_breakdowns (link_id, day, breakdowns, listed)
      SELECT link_id, day, json_build_object('r*', visits, 'c*', visits, 'b*', visits, 'o*', visits, 'd*', visits, 'l*', visits), 400
      FROM link_days`)
  const uniques = 'SELECT link_id, day, uniques FROM link_days ORDER BY 1, 2'
  const before = (await pool.query(uniques)).rows
  await repairCounts(pool, now)
  expect(await differences()).toEqual([])
  expect((await pool.query(uniques)).rows).toEqual(before)
  expect(
    (await pool.query('SELECT bots::int, previews::int FROM link_totals WHERE link_id = 0')).rows,
  ).toEqual([{ bots: 40, previews: 20 }])
})

test('recording goes on while aggregates are rebuilt, and nothing is lost or counted twice', async () => {
  const producerId = newProducerId()
  let repairing = true
  let seq = 0
  const recording = (async () => {
    while (repairing) {
      await recordBatches(pool, knowledge, [{ producerId, seq: ++seq, visits: visitsOf([1, 2, 3], 20) }])
      if (seq % 5 === 0) await foldBreakdowns(pool)
    }
  })()
  for (let round = 0; round < 3; round++) {
    await pool.query('UPDATE link_days SET visits = visits + 1 WHERE link_id = 2')
    await repairCounts(pool, now)
  }
  repairing = false
  await recording
  expect(await differences()).toEqual([])
  expect((await pool.query('SELECT visits::int FROM link_totals WHERE link_id = 0')).rows).toEqual([
    { visits: 100 + seq * 20 },
  ])
})
