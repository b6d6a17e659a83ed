/** From the release before, which knew neither classes nor days nor breakdowns, with visits in it. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { migrateDatabase } from '../../apps/stack/migrate-database.ts'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import { repairCounts } from '../../apps/worker/verify/repair-counts.ts'
import { openPool } from '../support/hopcount.ts'
import { root } from '../support/processes.ts'
import { createTestDatabase } from '../support/test-database.ts'

/** The migrations after the first release's. */
const laterMigrations = readdirSync(join(root, 'db/migrations')).length - 1
const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

test('an upgrade keeps every count and blocks old workers; classes are filled in afterwards', async () => {
  const { url } = await createTestDatabase()
  for (let i = 0; i < laterMigrations; i++) await dbmate(url, 'down')
  const pool = openPool(url)
  await pool.query('INSERT INTO texts (text) VALUES ($1)', [chrome])
  await pool.query(
    `INSERT INTO visits (link_id, visited_at, user_agent_id)
     SELECT 1 + g % 5, now() - g * interval '10 seconds', CASE WHEN g % 4 > 0 THEN 1 END FROM generate_series(1, 2000) AS g`,
  )
  await pool.query(
    'INSERT INTO link_totals (link_id, visits, first_visit, last_visit) SELECT link_id, count(*), min(visited_at), max(visited_at) FROM visits GROUP BY 1',
  )
  await pool.query(
    `INSERT INTO link_quarters (link_id, quarter, visits)
     SELECT link_id, date_bin('15 minutes', visited_at, 'epoch'), count(*) FROM visits GROUP BY 1, 2`,
  )
  const oldWorker = (seq: number) =>
    pool.query(
      `INSERT INTO ledger (producer_id, seq, visits) VALUES ('019aab7c-0000-7000-8000-000000000000', $1, 2000)`,
      [seq],
    )
  await oldWorker(1)

  await migrateDatabase({ databaseUrl: url, redisUrl: 'redis://127.0.0.1:1' })
  await expect(oldWorker(2)).rejects.toThrow('column "visits" of relation "ledger" does not exist')
  const sums = 'SELECT sum(visits)::int AS visits, sum(bots)::int AS bots FROM'
  for (const table of ['link_totals', 'link_days', 'link_quarters']) {
    const ofLinks = await pool.query(`${sums} ${table} WHERE link_id > 0`)
    const ofAll = await pool.query(`${sums} ${table} WHERE link_id = 0`)
    expect([table, ofLinks.rows, ofAll.rows]).toEqual([
      table,
      [{ visits: 2_000, bots: 0 }],
      [{ visits: 2_000, bots: 0 }],
    ])
  }

  await repairCounts(pool)
  expect(await compareCounts(pool)).toEqual([])
  expect((await pool.query(`${sums} link_totals WHERE link_id = 0`)).rows).toEqual([
    { visits: 2_000, bots: 500 },
  ])
})

async function dbmate(url: string, command: string): Promise<void> {
  const withoutTls = new URL(url)
  withoutTls.searchParams.set('sslmode', 'disable')
  await promisify(execFile)(
    `${root}/node_modules/.bin/dbmate`,
    ['--url', withoutTls.href, '--migrations-dir', `${root}/db/migrations`, '--no-dump-schema', command],
    { cwd: root },
  )
}
