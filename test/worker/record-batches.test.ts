import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import pg from 'pg'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { dayMs, dayNumber } from '../../apps/shared/days.ts'
import type { DecodedVisit } from '../../apps/shared/visits/decode-batch.ts'
import { setAsideBatch } from '../../apps/shared/visits/set-aside-batch.ts'
import { compactLedger } from '../../apps/worker/maintenance/compact-ledger.ts'
import { openKnownDatabase } from '../../apps/worker/recording/known-database.ts'
import { createTextNumbers } from '../../apps/worker/recording/number-texts.ts'
import type { Recorded } from '../../apps/worker/recording/record-batches.ts'
import { createTextRoom } from '../../apps/worker/recording/text-room.ts'
import type { VisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { openVisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import { openPool } from '../support/hopcount.ts'
import type { VisitBatch } from '../support/record-visits.ts'
import { anyTime, recordBatches } from '../support/record-visits.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

let databaseUrl: string
let pool: Pool
let knowledge: VisitKnowledge
beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
})
beforeEach(async () => {
  await pool.query(
    'TRUNCATE visits, visitors, texts, link_totals, link_days, link_quarters, link_minutes, link_breakdowns, breakdown_deltas, breakdown_tails, ledger, ledger_watermarks, set_aside_batches',
  )
  // It caches the numbers of texts.
  knowledge = { ...(await openVisitKnowledge(pool)), timeBounds: anyTime }
})

const record = (batches: VisitBatch[]): Promise<Recorded> => recordBatches(pool, knowledge, batches)

const noon = Date.UTC(2026, 10, 22, 12)

function visits(linkId: number, count: number, visitedAt = noon): DecodedVisit[] {
  return Array.from({ length: count }, (_, i) => ({
    linkId,
    visitedAt: visitedAt + i,
    referrer: 'http://r.test/',
    userAgent: undefined,
  }))
}

async function counted(): Promise<{ raw: number; totals: number }> {
  const { rows } = await pool.query<{ raw: number; totals: number }>(
    'SELECT (SELECT count(*)::int FROM visits) AS raw, (SELECT coalesce(sum(visits), 0)::int FROM link_totals WHERE link_id > 0) AS totals',
  )
  return rows[0] ?? { raw: -1, totals: -1 }
}

async function deadlocks(): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(
    'SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()',
  )
  return rows[0]?.n ?? -1
}

test('a batch delivered twice, one after the other, is counted once', async () => {
  const batch = { producerId: newProducerId(), seq: 1, visits: visits(7, 3) }
  expect(await record([batch])).toMatchObject({ visits: 3, duplicates: 0 })
  expect(await record([batch])).toMatchObject({ visits: 0, duplicates: 1 })
  expect(await counted()).toEqual({ raw: 3, totals: 3 })
})

test('a batch delivered twice in one transaction is counted once', async () => {
  const batch = { producerId: newProducerId(), seq: 1, visits: visits(7, 3) }
  await record([batch, { ...batch }])
  expect(await counted()).toEqual({ raw: 3, totals: 3 })
})

test('a batch delivered to four workers at once is counted once', async () => {
  for (let round = 1; round <= 20; round++) {
    const batch = { producerId: newProducerId(), seq: round, visits: visits(round, 5) }
    await Promise.all(Array.from({ length: 4 }, () => record([batch])))
  }
  expect(await counted()).toEqual({ raw: 100, totals: 100 })
  expect(await compareCounts(pool)).toEqual([])
})

test('a visit is counted at the time of its redirect, however late it is recorded', async () => {
  const dayBefore = noon - dayMs
  const lastYear = Date.UTC(2025, 0, 1, 0, 14, 59, 999)
  await record([
    {
      producerId: newProducerId(),
      seq: 1,
      visits: [...visits(1, 1, noon), ...visits(1, 2, dayBefore), ...visits(1, 1, lastYear)],
    },
  ])
  const { rows } = await pool.query(
    'SELECT quarter, visits FROM link_quarters WHERE link_id = 1 ORDER BY quarter',
  )
  expect(rows.map(row => [row.quarter.toISOString(), row.visits])).toEqual([
    ['2025-01-01T00:00:00.000Z', 1],
    ['2026-11-21T12:00:00.000Z', 2],
    ['2026-11-22T12:00:00.000Z', 1],
  ])
  const total = await pool.query('SELECT first_visit, last_visit FROM link_totals')
  expect(total.rows[0].first_visit.getTime()).toBe(lastYear)
  expect(total.rows[0].last_visit.getTime()).toBe(noon)
})

test('a visit with an impossible time is counted at the nearest possible one and reported as misdated', async () => {
  const now = Date.now()
  const times = [0, 2 ** 48 - 1, now + 5 * dayMs, now + dayMs, now - 900 * dayMs]
  await recordBatches(pool, await openVisitKnowledge(pool), [
    { producerId: newProducerId(), seq: 1, visits: times.flatMap(time => visits(1, 1, time)) },
    { producerId: newProducerId(), seq: 1, visits: visits(1, 1, now) },
  ])
  const { rows } = await pool.query<{ visitedAt: Date }>(
    'SELECT visited_at AS "visitedAt" FROM visits ORDER BY 1',
  )
  const days = rows.map(row => Math.round((row.visitedAt.getTime() - now) / dayMs))
  expect(days).toEqual([-3 * 366, -900, 0, 1, 2, 2])
  const totals = await pool.query(
    'SELECT visits::int, misdated::int, last_visit AS "lastVisit" FROM link_totals ORDER BY link_id',
  )
  expect(totals.rows).toMatchObject([
    { visits: 6, misdated: 3 },
    { visits: 6, misdated: 3 },
  ])
  expect(totals.rows[1].lastVisit.getTime()).toBeLessThan(now + 3 * dayMs)
  expect(await compareCounts(pool)).toEqual([])
})

test('recording a batch again adds no misdated visits', async () => {
  const batch = { producerId: newProducerId(), seq: 1, visits: visits(1, 2, 0) }
  await recordBatches(pool, await openVisitKnowledge(pool), [batch])
  await recordBatches(pool, await openVisitKnowledge(pool), [batch, { ...batch, seq: 2 }])
  expect((await pool.query('SELECT misdated::int FROM link_totals')).rows).toEqual([
    { misdated: 4 },
    { misdated: 4 },
  ])
})

test('whatever a visit contains is read back unchanged', async () => {
  const texts = [
    'plain',
    '',
    'tab\tline\nback\\slash"{}',
    'Ünïcödé 漢字 🦔',
    '\\N',
    'x'.repeat(8_192),
    '漢'.repeat(8_192),
  ]
  const times = [
    Date.UTC(2024, 1, 29),
    Date.UTC(2025, 11, 31, 23, 59, 59, 999),
    noon,
    noon + 1,
    noon - 86_399_999,
  ]
  const visitsOfAllKinds = texts.flatMap((referrer, i) =>
    times.map((visitedAt, j) => ({
      linkId: [1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1][(i + j) % 4] ?? 1,
      visitedAt,
      referrer: referrer === '' ? undefined : `${referrer}${visitedAt}`,
      userAgent: texts[(i + j) % texts.length] || undefined,
    })),
  )
  await record([{ producerId: newProducerId(), seq: 1, visits: visitsOfAllKinds }])
  const { rows } = await pool.query<{ visit: unknown[] }>(
    `SELECT json_build_array(link_id, (extract(epoch FROM visited_at) * 1000)::bigint, coalesce(referrer, r.text), coalesce(user_agent, u.text)) AS visit
     FROM visits LEFT JOIN texts AS r ON r.id = referrer_id LEFT JOIN texts AS u ON u.id = user_agent_id`,
  )
  const wanted = visitsOfAllKinds.map(v => [v.linkId, v.visitedAt, v.referrer ?? null, v.userAgent ?? null])
  // Not toEqual: it would print megabytes.
  const printed = (all: unknown[][]) => all.map(visit => JSON.stringify(visit)).sort()
  const stored = printed(rows.map(row => row.visit))
  expect(stored).toHaveLength(wanted.length)
  expect(
    printed(wanted)
      .filter(visit => !stored.includes(visit))
      .map(visit => visit.slice(0, 100)),
  ).toEqual([])
})

test('a failed transaction leaves nothing behind: no ledger row without visits', async () => {
  const batch = {
    producerId: newProducerId(),
    seq: 1,
    visits: [{ ...visits(1, 1)[0], linkId: 1, visitedAt: noon, referrer: 'a\0b', userAgent: undefined }],
  }
  await expect(record([batch])).rejects.toThrow()
  expect((await pool.query('SELECT count(*)::int AS n FROM ledger')).rows[0].n).toBe(0)
  await record([{ ...batch, visits: visits(1, 1) }])
  expect(await counted()).toEqual({ raw: 1, totals: 1 })
})

test('a transaction waits for as few responses as possible: what needs no response is sent together', async () => {
  const { hostname, port } = new URL(databaseUrl)
  const proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String(proxy.port)
  const behindProxy = openPool(url.href)
  const [first, second] = [1, 2].map(seq => ({ producerId: newProducerId(), seq, visits: visits(7, seq) }))
  if (first === undefined || second === undefined) throw new Error('no batches')
  await record([first])
  const blocker = await pool.connect()
  try {
    // Whatever is sent meanwhile is sent without the response to the ledger's row, later without that of the link's total.
    await blocker.query('BEGIN; SELECT FROM link_totals WHERE link_id = 7 FOR UPDATE; SAVEPOINT ledger')
    await blocker.query('INSERT INTO ledger (producer_id, seq, counted) VALUES ($1, $2, 0)', [
      second.producerId,
      second.seq,
    ])
    const incarnationIsRead = proxy.setModeAt('AS incarnation', 'pass')
    const recorded = recordBatches(behindProxy, knowledge, [second])
    await incarnationIsRead
    const lastAggregateIsSent = proxy.setModeAt('INSERT INTO classified_days', 'pass')
    await blocker.query('ROLLBACK TO ledger')
    await lastAggregateIsSent
    await blocker.query('COMMIT')
    expect(await recorded).toMatchObject({ visits: 2 })
  } finally {
    blocker.release()
  }
  expect(await counted()).toEqual({ raw: 3, totals: 3 })
  expect(await compareCounts(pool)).toEqual([])
})

test('when PostgreSQL refuses one of the aggregates sent together, its reason is reported and nothing is counted', async () => {
  await pool.query('ALTER TABLE link_days ADD CONSTRAINT no_thirteen CHECK (link_id <> 13)')
  const batch = { producerId: newProducerId(), seq: 1, visits: [...visits(12, 1), ...visits(13, 1)] }
  try {
    // Not that of the statements after it: the transaction is aborted.
    await expect(record([batch])).rejects.toMatchObject({ code: '23514', constraint: 'no_thirteen' })
  } finally {
    await pool.query('ALTER TABLE link_days DROP CONSTRAINT no_thirteen')
  }
  expect(await counted()).toEqual({ raw: 0, totals: 0 })
  expect(await record([batch])).toMatchObject({ visits: 2, duplicates: 0 })
  expect(await compareCounts(pool)).toEqual([])
})

test('when PostgreSQL refuses the first of many visits, the rest are not sent, and the next transaction succeeds', async () => {
  // More than a socket's buffers hold, so that PostgreSQL's response arrives while there is more to send.
  const good = visits(1, 20_000).map((visit, i) => ({
    ...visit,
    referrer: `http://r.test/${i}${'x'.repeat(2_000)}`,
  }))
  const bad = { ...visits(1, 1)[0], linkId: 0, visitedAt: 0, referrer: 'a\0b', userAgent: undefined }
  for (let seq = 1; seq <= 5; seq++) {
    const batch = { producerId: newProducerId(), seq, visits: [bad, ...good] }
    await expect(record([batch])).rejects.toThrow('invalid byte sequence')
  }
  expect(await counted()).toEqual({ raw: 0, totals: 0 })
  await record([{ producerId: newProducerId(), seq: 1, visits: good }])
  expect(await counted()).toEqual({ raw: 20_000, totals: 20_000 })
})

test('when PostgreSQL responds late to an abandoned COPY, the process continues and the next transaction succeeds', async () => {
  const queryTimeoutMs = 500
  const hasty = new pg.Pool({ ...pool.options, query_timeout: queryTimeoutMs })
  const blocker = await pool.connect()
  try {
    const batch = { producerId: newProducerId(), seq: 1, visits: visits(1, 3) }
    await blocker.query('BEGIN; LOCK TABLE visits')
    const givenUp = expect(recordBatches(hasty, knowledge, [batch])).rejects.toThrow('Query read timeout')
    await waitUntil(copyWaits, { what: 'the COPY waits for the lock' })
    // When this returns, the client has abandoned the COPY, but PostgreSQL still waits for its data.
    await sleep(1.5 * queryTimeoutMs)
    await blocker.query('ROLLBACK')
    await givenUp
    expect(await record([batch])).toMatchObject({ visits: 3, duplicates: 0 })
    expect(await counted()).toEqual({ raw: 3, totals: 3 })
  } finally {
    blocker.release(true)
    await hasty.end()
  }
})

async function copyWaits(): Promise<boolean> {
  const { rowCount } = await pool.query(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'COPY%'`,
  )
  return rowCount === 1
}

test('compaction leaves one watermark per producer without gaps, and redelivery of a batch below it changes nothing', async () => {
  const producerId = newProducerId()
  const batches = [1, 2, 3, 5].map(seq => ({ producerId, seq, visits: visits(seq, seq) }))
  await record(batches)
  await compactLedger(pool)
  expect((await pool.query('SELECT seq, visits FROM ledger_watermarks')).rows).toEqual([
    { seq: 3, visits: 6 },
  ])
  expect((await pool.query('SELECT seq FROM ledger')).rows).toEqual([{ seq: 5 }])

  expect(await record(batches)).toMatchObject({ visits: 0, duplicates: 4 })
  expect((await pool.query('SELECT seq FROM ledger')).rows).toEqual([{ seq: 5 }])

  await record([{ producerId, seq: 4, visits: visits(4, 4) }])
  await compactLedger(pool)
  expect((await pool.query('SELECT seq, visits FROM ledger_watermarks')).rows).toEqual([
    { seq: 5, visits: 15 },
  ])
  expect((await pool.query('SELECT seq FROM ledger')).rows).toEqual([])
  expect(await compareCounts(pool)).toEqual([])
})

test('nothing is counted twice when batches are redelivered during compaction of the ledger', async () => {
  const producers = Array.from({ length: 4 }, newProducerId)
  const batches = producers.flatMap(producerId =>
    Array.from({ length: 40 }, (_, i) => ({ producerId, seq: i + 1, visits: visits(i + 1, 2) })),
  )
  let recording = true
  const compaction = (async () => {
    while (recording) await compactLedger(pool, { maxRows: 7 })
  })()
  await Promise.all([0, 1, 2, 3].map(() => deliverShuffled(batches)))
  recording = false
  await compaction
  await compactLedger(pool)
  expect(await counted()).toEqual({ raw: 320, totals: 320 })
  expect((await pool.query('SELECT seq, visits FROM ledger_watermarks')).rows).toEqual(
    Array(4).fill({ seq: 40, visits: 80 }),
  )
  expect(await compareCounts(pool)).toEqual([])
})

test('the watermark passes a batch that was set aside, and recording it later counts it once', async () => {
  const producerId = newProducerId()
  const batchOf = (seq: number) => ({ producerId, seq, visits: visits(seq, seq) })
  const setAside = (seq: number) => setAsideBatch(pool, batchOf(seq), { reason: 'a test', visits: seq })
  await record([1, 2, 4, 5, 7].map(batchOf))
  for (const seq of [3, 6]) expect(await setAside(seq)).toBe(true)
  // One that is recorded is not set aside, whether its row is still there or the watermark covers it.
  expect(await setAside(2)).toBe(false)
  // Not at once: an API process of release 0.1 would take it for recorded.
  await compactLedger(pool)
  expect(await watermarks()).toEqual([{ seq: 2, visits: 3 }])
  expect(await setAside(1)).toBe(false)
  await compactLedger(pool, { passAfterSeconds: 0 })
  expect(await watermarks()).toEqual([{ seq: 7, visits: 19 }])
  expect(await ledgerSeqs()).toEqual([])
  expect(await setAside(3)).toBe(true)

  expect(await record([3, 4].map(batchOf))).toMatchObject({ visits: 3, duplicates: 1 })
  expect(await record([3, 4].map(batchOf))).toMatchObject({ visits: 0, duplicates: 2 })
  expect(await ledgerSeqs()).toEqual([3])
  await compactLedger(pool)
  expect(await ledgerSeqs()).toEqual([])
  expect(await watermarks()).toEqual([{ seq: 7, visits: 22 }])
  expect(await record([3].map(batchOf))).toMatchObject({ visits: 0, duplicates: 1 })
  expect(await setAside(3)).toBe(false)
  expect((await pool.query('SELECT seq, visits FROM set_aside_batches')).rows).toEqual([
    { seq: 6, visits: 6 },
  ])
  expect(await counted()).toEqual({ raw: 22, totals: 22 })
  expect(await compareCounts(pool)).toEqual([])
})

test('a batch that a worker of release 0.1 recorded although it was set aside stays recorded after compaction', async () => {
  const producerId = newProducerId()
  const batch = { producerId, seq: 1, visits: visits(1, 2) }
  await record([batch])
  // Such a worker leaves the row.
  await pool.query(
    `INSERT INTO set_aside_batches (producer_id, seq, reason, set_aside_at) VALUES ($1, 1, 'a test', 'epoch')`,
    [producerId],
  )
  await compactLedger(pool)
  expect(await record([batch])).toMatchObject({ visits: 0, duplicates: 1 })
  expect(await counted()).toEqual({ raw: 2, totals: 2 })
})

const watermarks = async () => (await pool.query('SELECT seq, visits FROM ledger_watermarks')).rows

const ledgerSeqs = async () =>
  (await pool.query<{ seq: number }>('SELECT seq FROM ledger ORDER BY seq')).rows.map(row => row.seq)

test('batches that are set aside, recorded and compacted all at once are counted once', async () => {
  const producers = Array.from({ length: 3 }, newProducerId)
  const batches = producers.flatMap(producerId =>
    Array.from({ length: 30 }, (_, i) => ({ producerId, seq: i + 1, visits: visits(i + 1, 2) })),
  )
  let recording = true
  const compaction = (async () => {
    while (recording) await compactLedger(pool, { maxRows: 7, passAfterSeconds: 0 })
  })()
  const settingAside = (async () => {
    for (const batch of [...batches, ...batches.toReversed()])
      await setAsideBatch(pool, batch, { reason: 'a test', visits: 2 })
  })()
  await Promise.all([0, 1, 2].map(() => deliverShuffled(batches)))
  await settingAside
  // Those that were set aside last.
  await deliverShuffled(batches)
  recording = false
  await compaction
  await compactLedger(pool)
  expect(await counted()).toEqual({ raw: 180, totals: 180 })
  expect(await watermarks()).toEqual(Array(3).fill({ seq: 30, visits: 60 }))
  expect((await pool.query('SELECT FROM set_aside_batches')).rowCount).toBe(0)
  expect(await compareCounts(pool)).toEqual([])
})

async function deliverShuffled(batches: VisitBatch[]): Promise<void> {
  const shuffled = batches.map(batch => ({ batch, order: Math.random() })).sort((a, b) => a.order - b.order)
  for (let i = 0; i < shuffled.length; i += 5)
    await record(shuffled.slice(i, i + 5).map(entry => entry.batch))
}

test('two workers on one hot link and a thousand others never deadlock', async () => {
  const before = await deadlocks()
  const worker = async (first: number) => {
    const producerId = newProducerId()
    for (let seq = first; seq < first + 25; seq++) {
      const randomLinks = Array.from({ length: 300 }, () =>
        visits(1 + Math.floor(Math.random() * 1_000), 1),
      ).flat()
      await record([{ producerId, seq, visits: [...randomLinks, ...visits(1_001, 100)] }])
    }
  }
  await Promise.all([worker(1), worker(1), worker(1)])
  await pool.query('SELECT pg_stat_force_next_flush()')
  expect(await deadlocks()).toBe(before)
  expect(await counted()).toEqual({ raw: 30_000, totals: 30_000 })
  expect(await compareCounts(pool)).toEqual([])
})

test('workers that slice their transactions by different links count like a single worker, without deadlocks', async () => {
  const before = await deadlocks()
  const noonToday = (dayNumber(Date.now()) + 0.5) * dayMs
  const people = (linkId: number, count: number): DecodedVisit[] =>
    visits(linkId, count, noonToday).map((visit, i) => ({
      ...visit,
      // Each link on two days.
      visitedAt: visit.visitedAt - (i % 3 === 0 ? dayMs : 0),
      referrer: `http://r${i % 7}.test/`,
      userAgent:
        i % 5 === 0 ? 'curl/8.0' : 'Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0',
      // Visitors of few links only: otherwise each transaction would wait for the previous one's visitors.
      address: linkId % 100 === 0 ? `203.0.113.${i % 256}` : undefined,
    }))
  const worker = async () => {
    const producerId = newProducerId()
    for (let seq = 1; seq <= 5; seq++) {
      // Twenty thousand visits; one link has more of them than a slice holds.
      const someLinks = Array.from({ length: 500 }, () => people(1 + Math.floor(Math.random() * 2_000), 20))
      await record([{ producerId, seq, visits: [...someLinks.flat(), ...people(300, 10_000)] }])
    }
  }
  await Promise.all([worker(), worker(), worker()])
  await pool.query('SELECT pg_stat_force_next_flush()')
  expect(await deadlocks()).toBe(before)
  expect(await counted()).toEqual({ raw: 300_000, totals: 300_000 })
  expect((await pool.query('SELECT uniques::int AS n FROM link_totals WHERE link_id = 300')).rows[0]?.n).toBe(
    2 * 256,
  )
  expect(await compareCounts(pool)).toEqual([])
})

test('when one link gets every visit, a batch costs a row update for the link and one for all links, nearly all HOT', async () => {
  // Sessions report their updates late, and only this one can be told to: a database with no other.
  const alone = openPool((await createTestDatabase()).url)
  const ofAlone = { ...(await openVisitKnowledge(alone)), timeBounds: anyTime }
  const updates = async () => {
    await alone.query('SELECT pg_stat_force_next_flush()')
    const { rows } = await alone.query<{ all: number; hot: number }>(
      `SELECT n_tup_upd::int AS all, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables WHERE relname = 'link_totals'`,
    )
    return rows[0] ?? { all: 0, hot: 0 }
  }
  const producerId = newProducerId()
  const before = await updates()
  for (let seq = 1; seq <= 200; seq++)
    await recordBatches(alone, ofAlone, [{ producerId, seq, visits: visits(1, 50) }])
  const after = await updates()
  expect(after.all - before.all).toBe(2 * 199)
  expect(after.hot - before.hot).toBeGreaterThan(300)
})

test('a text that occurs again is stored once; one that occurs only once is stored in its visit', async () => {
  const producerId = newProducerId()
  const seen = (seq: number, referrer: string) =>
    record([
      {
        producerId,
        seq,
        visits: [{ linkId: 1, visitedAt: noon, referrer, userAgent: 'say "hi" \\ {NULL}, ü' }],
      },
    ])
  for (let seq = 1; seq <= 5; seq++) await seen(seq, `http://only-${seq}.test/`)
  const kept = await pool.query('SELECT text FROM texts')
  expect(kept.rows).toEqual([{ text: 'say "hi" \\ {NULL}, ü' }])
  const { rows } = await pool.query(
    `SELECT referrer, coalesce(visits.user_agent, text) AS user_agent
     FROM visits LEFT JOIN texts ON texts.id = user_agent_id ORDER BY referrer`,
  )
  expect(rows).toEqual(
    [1, 2, 3, 4, 5].map(n => ({ referrer: `http://only-${n}.test/`, user_agent: 'say "hi" \\ {NULL}, ü' })),
  )
})

test('a text that occurs twice in one transaction gets a number immediately', async () => {
  const twice = { referrer: 'http://twice.test/', userAgent: undefined }
  const once = { referrer: 'http://once.test/', userAgent: undefined }
  const seen = [twice, twice, once].map(texts => ({ linkId: 1, visitedAt: noon, ...texts }))
  await record([{ producerId: newProducerId(), seq: 1, visits: seen }])
  expect((await pool.query('SELECT text FROM texts')).rows).toEqual([{ text: 'http://twice.test/' }])
  const { rows } = await pool.query('SELECT referrer FROM visits ORDER BY referrer NULLS LAST')
  expect(rows).toEqual([{ referrer: 'http://once.test/' }, { referrer: null }, { referrer: null }])
})

test('two workers that number the same texts concurrently agree on the numbers', async () => {
  const words = Array.from({ length: 300 }, (_, i) => `agent ${i}`)
  const once = (texts: string[]) => ({ texts, known: [], visits: texts.map(() => 1), places: new Map() })
  const database = await openKnownDatabase(pool)
  const workers = [1, 2, 3].map(() => createTextNumbers(pool, database, createTextRoom()))
  for (const worker of workers) await worker.of(once(words))
  const answers = await Promise.all(workers.map(worker => worker.of(once(words.toReversed()))))
  expect(answers[0]?.size).toBe(300)
  expect(answers[1]).toEqual(answers[0])
  expect(answers[2]).toEqual(answers[0])
})
