/** `texts` is bounded: by a limit, and by what kept visits refer to. */
import type { Pool } from 'pg'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { dayMs } from '../../apps/shared/days.ts'
import type { DecodedVisit } from '../../apps/shared/visits/decode-batch.ts'
import { ensureVisitPartitions } from '../../apps/worker/maintenance/ensure-partitions.ts'
import { retireVisits } from '../../apps/worker/maintenance/retention/retire-visits.ts'
import { createTextRoom } from '../../apps/worker/recording/text-room.ts'
import type { VisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { openVisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import { openPool, startWorker } from '../support/hopcount.ts'
import { recordBatches } from '../support/record-visits.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

let pool: Pool
let url: string

beforeAll(async () => {
  url = (await createTestDatabase()).url
  pool = openPool(url)
})

beforeEach(async () => {
  await pool.query(
    'TRUNCATE visits, visitors, texts, link_totals, link_days, link_quarters, link_minutes, link_breakdowns, breakdown_deltas, breakdown_tails, classified_days, ledger, ledger_watermarks',
  )
})

async function record(knowledge: VisitKnowledge, texts: string[]): Promise<void> {
  const visits: DecodedVisit[] = texts.map(text => ({
    linkId: 1,
    visitedAt: Date.now(),
    referrer: `https://${text}.example/`,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
  }))
  await recordBatches(pool, knowledge, [{ producerId: newProducerId(), seq: 1, visits }])
}

const twice = (texts: string[]) => texts.flatMap(text => [text, text])

async function storedTexts(): Promise<string[]> {
  const { rows } = await pool.query<{ text: string }>('SELECT text FROM texts ORDER BY text')
  return rows.map(row => row.text)
}

/** How visits refer to their referrer, by referrer. */
async function referrers(): Promise<{ text: string | null; numbered: number; inline: number }[]> {
  const { rows } = await pool.query(
    `SELECT coalesce(texts.text, referrer) AS text, count(referrer_id)::int AS numbered, count(referrer)::int AS inline
     FROM visits LEFT JOIN texts ON texts.id = referrer_id GROUP BY 1 ORDER BY 1`,
  )
  return rows
}

test('when the table is full, texts stay in their visits, and everything is counted', async () => {
  const textRoom = createTextRoom(3)
  const knowledge = await openVisitKnowledge(pool, { textRoom })
  await record(knowledge, twice(['a', 'b']))
  expect(textRoom.warning()).toMatch(/is full \(3 rows\)/)
  await record(knowledge, twice(['a', 'c', 'c']))
  expect(await storedTexts()).toHaveLength(3)
  expect(await referrers()).toEqual([
    { text: 'https://a.example/', numbered: 4, inline: 0 },
    { text: 'https://b.example/', numbered: 2, inline: 0 },
    { text: 'https://c.example/', numbered: 0, inline: 4 },
  ])
  expect(await compareCounts(pool)).toEqual([])
  // Another worker counts the rows that are there.
  const other = createTextRoom(3)
  await other.count(pool)
  expect(other.warning()).toMatch(/is full/)
})

test('when numbers have run out, texts stay in their visits', async () => {
  const knowledge = await openVisitKnowledge(pool)
  await pool.query(`SELECT setval(pg_get_serial_sequence('texts', 'id'), 2147483647)`)
  await record(knowledge, twice(['a', 'b']))
  expect((await referrers()).map(row => row.inline)).toEqual([2, 2])
  expect(await compareCounts(pool)).toEqual([])
  await pool.query(`SELECT setval(pg_get_serial_sequence('texts', 'id'), 1)`)
})

test('texts that no kept visit refers to are deleted with the visits, and those in use stay', async () => {
  await ensureVisitPartitions(pool)
  const knowledge = await openVisitKnowledge(pool)
  await record(knowledge, twice(['old', 'used', 'recent']))
  await pool.query(
    `UPDATE texts SET used_on = CURRENT_DATE - CASE WHEN text LIKE '%recent%' THEN 15 ELSE 40 END`,
  )
  // A worker that has started since uses one of them again.
  await record(await openVisitKnowledge(pool), twice(['used']))
  await retireVisits(pool, 10)
  expect(await storedTexts()).toEqual([
    expect.stringContaining('Mozilla'),
    'https://recent.example/',
    'https://used.example/',
  ])
})

test('a worker that remembers a deleted text for more than a day numbers it anew', async () => {
  const knowledge = await openVisitKnowledge(pool)
  await record(knowledge, twice(['a']))
  await pool.query('UPDATE texts SET used_on = CURRENT_DATE - 40')
  await retireVisits(pool, 10)
  expect(await storedTexts()).toEqual([])
  const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + dayMs)
  await pool.query('TRUNCATE visits')
  await record(knowledge, twice(['a']))
  clock.mockRestore()
  expect(await referrers()).toEqual([{ text: 'https://a.example/', numbered: 2, inline: 0 }])
})

test('a text that is deleted between two statements of a worker is numbered anew', async () => {
  await record(await openVisitKnowledge(pool), twice(['a']))
  await pool.query('TRUNCATE visits')
  await pool.query('UPDATE texts SET used_on = CURRENT_DATE - 40')
  const deleting = await pool.connect()
  await deleting.query('BEGIN; DELETE FROM texts')
  const recording = record(await openVisitKnowledge(pool), twice(['a']))
  await waitUntil(
    async () => {
      const { rows } = await pool.query<{ waiting: boolean }>(
        `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%used_on = CURRENT_DATE%' AND datname = current_database()) AS waiting`,
      )
      return rows[0]?.waiting
    },
    { what: 'the worker waits for the deletion' },
  )
  await deleting.query('COMMIT')
  deleting.release()
  await recording
  expect((await referrers()).map(row => row.text)).toEqual(['https://a.example/'])
})

test('a worker warns when the table is nearly full', async () => {
  await pool.query(`INSERT INTO texts (text) SELECT 'text ' || i FROM generate_series(1, 9) AS i`)
  const worker = await startWorker({ databaseUrl: url, env: { TEXTS_MAX: '10' } })
  const port = /"metricsPort":(\d+)/.exec(worker.output())?.[1]
  const warnings = await waitUntil(
    async () => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`)
      const ready = (await response.json()) as { warnings: string[] }
      return response.status === 200 && ready.warnings.length > 0 && ready.warnings
    },
    { what: 'a warning' },
  )
  expect(warnings).toEqual(['the table texts has 9 of at most 10 rows (TEXTS_MAX)'])
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  expect(metrics).toMatch(/^hopcount_texts 9$/m)
  expect(metrics).toMatch(/^hopcount_texts_max 10$/m)
})
