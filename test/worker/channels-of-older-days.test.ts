import type { Pool } from 'pg'
import { beforeEach, expect, test } from 'vitest'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { dayMs, dayNumber, dayText } from '../../apps/shared/days.ts'
import { foldBreakdowns } from '../../apps/worker/maintenance/fold-breakdowns.ts'
import { openVisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import { repairCounts } from '../../apps/worker/verify/repair-counts.ts'
import { openPool } from '../support/hopcount.ts'
import { recordBatches } from '../support/record-visits.ts'
import { createTestDatabase } from '../support/test-database.ts'

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0'
const now = Date.now()
let pool: Pool

/** A day as a version without channels leaves it. */
beforeEach(async () => {
  pool = openPool((await createTestDatabase()).url)
  const referrers = ['https://www.google.com/', 'https://t.co/a', 'https://mail.google.com/', undefined]
  const visits = Array.from({ length: 8 }, (_, i) => ({
    linkId: 1,
    visitedAt: now - 5 * dayMs,
    referrer: referrers[i % 4],
    userAgent: firefox,
  }))
  await recordBatches(pool, await openVisitKnowledge(pool), [{ producerId: newProducerId(), seq: 1, visits }])
  await foldBreakdowns(pool)
  await pool.query(
    `UPDATE link_breakdowns SET breakdowns =
       (SELECT json_object_agg(key, value) FROM json_each(breakdowns) WHERE key NOT LIKE 'h%')`,
  )
})

async function differences(): Promise<string[]> {
  return (await compareCounts(pool, now)).map(difference => difference.what)
}

async function channels(): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ breakdowns: Record<string, number> }>(
    'SELECT breakdowns FROM link_breakdowns WHERE link_id = 1',
  )
  return Object.fromEntries(Object.entries(rows[0]?.breakdowns ?? {}).filter(([key]) => key.startsWith('h')))
}

test('days recorded before channels existed get them from their raw visits', async () => {
  expect(await differences()).toContainEqual(expect.stringMatching(/^day .* of link 1: breakdown h/))
  await repairCounts(pool, now)
  expect(await channels()).toEqual({ hsearch: 2, hsocial: 2, hmail: 2, hdirect: 2 })
  expect(await differences()).toEqual([])
})

test('without raw visits, visits may lack a channel, but no channel has too many', async () => {
  await pool.query('UPDATE retention SET raw_visits_from = $1', [dayText(dayNumber(now) - 1)])
  expect(await differences()).toEqual([])
  const add = (key: string) =>
    pool.query(
      `UPDATE link_breakdowns SET breakdowns = (breakdowns::jsonb || jsonb_build_object($1::text, 3))::json WHERE link_id = 1`,
      [key],
    )
  // A day on which the version changed.
  await add('hsearch')
  expect(await differences()).toEqual([])
  await add('hsocial')
  await add('hmail')
  expect(await differences()).toContainEqual(expect.stringMatching(/^day .* of link 1: sum of breakdown h$/))
})
