import type { Pool } from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { ensureVisitPartitions } from '../../apps/worker/maintenance/ensure-partitions.ts'
import { openVisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { seedDatabase } from '../../apps/worker/seed/seed-database.ts'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import { repairCounts } from '../../apps/worker/verify/repair-counts.ts'
import { openPool } from '../support/hopcount.ts'
import { recordBatches } from '../support/record-visits.ts'
import { createTestDatabase } from '../support/test-database.ts'

let pool: Pool

beforeAll(async () => {
  pool = openPool((await createTestDatabase()).url)
  await ensureVisitPartitions(pool)
})

async function seed(slugPrefix: string): Promise<void> {
  await seedDatabase(pool, { links: 300, visits: 20_000, days: 6, slugPrefix }, () => {})
}

test('seeded visits are consistent with every aggregate, alongside visits that workers recorded', async () => {
  const visits = Array.from({ length: 50 }, (_, i) => ({
    linkId: 1_000_000_000 + (i % 3),
    visitedAt: Date.now() - i * 3_600_000,
    referrer: 'https://www.google.com/',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
    address: `85.1.1.${i}`,
  }))
  await recordBatches(pool, await openVisitKnowledge(pool), [{ producerId: newProducerId(), seq: 1, visits }])
  await seed('a')
  await seed('b')
  expect(await compareCounts(pool)).toEqual([])
  expect(Object.values(await repairCounts(pool))).toEqual([0, 0, 0, 0, 0])
})

test('seeded visits include every class, many countries, languages and sources, and fewer visitors than visits', async () => {
  const { rows } = await pool.query<{ visits: number; bots: number; previews: number; uniques: number }>(
    'SELECT visits, bots, previews, uniques FROM link_totals WHERE link_id = 0',
  )
  const { visits = 0, bots = 0, previews = 0, uniques = 0 } = rows[0] ?? {}
  expect(visits).toBe(40_050)
  expect(bots).toBeGreaterThan(0)
  expect(previews).toBeGreaterThan(0)
  expect(uniques).toBeGreaterThan(1_000)
  expect(uniques).toBeLessThan(visits - bots - previews)
  const keys = await pool.query<{ letter: string; values: number }>(
    `SELECT left(key, 1) AS letter, count(DISTINCT key)::int AS values
     FROM link_breakdowns CROSS JOIN json_each(breakdowns) GROUP BY 1`,
  )
  const values = new Map(keys.rows.map(row => [row.letter, row.values]))
  for (const letter of 'rcbodl') expect(values.get(letter), letter).toBeGreaterThan(2)
  expect(values.get('c')).toBeGreaterThan(15)
})
