/**
 * From 0.1.0, whose workers go on recording until they are replaced. UPGRADE_VISITS is the number of visits that the
 * database already has: a few thousand in the gate, 3 million in the nightly run, which leaves all to the worker.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openPool as openSharedPool } from '../../apps/shared/database/database.ts'
import { openLog } from '../../apps/shared/log.ts'
import { migrateDatabase } from '../../apps/stack/migrate-database.ts'
import { createDayReclassifier } from '../../apps/worker/maintenance/reclassify-days.ts'
import { recountPoolConfig } from '../../apps/worker/recount/recount-pool.ts'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import {
  createFirstReleaseDatabase,
  foldAsFirstRelease,
  recordAsFirstRelease,
  seedFirstRelease,
} from '../support/first-release.ts'
import { openPool, shorten, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import { waitUntil } from '../support/wait-until.ts'

const nightly = process.env.UPGRADE_VISITS !== undefined
const visitsBefore = Number(process.env.UPGRADE_VISITS ?? 4_000)
const days = nightly ? 30 : 4
/** The promise is 5 s; a loaded machine of the gate gets more. */
const countedWithinMs = nightly ? 5_000 : 30_000

test('an upgrade stops no counting: old and new workers record at once, and then all days follow the new rules', {
  timeout: nightly ? 30 * 60_000 : 300_000,
}, async () => {
  const { url } = await createFirstReleaseDatabase()
  const seeding = openSharedPool(recountPoolConfig(url, 'test'), () => {})
  cleanUpLater(() => seeding.end())
  await seedFirstRelease(seeding, visitsBefore, days)
  const pool = openPool(url)
  const oldWorker = startOldWorker(url)
  await oldWorker.recordsOneMore()

  await migrateDatabase({ databaseUrl: url, redisUrl: undefined })
  await oldWorker.recordsOneMore()
  // Otherwise it would cut breakdowns to the 100 values that it lists.
  await expect(foldAsFirstRelease(pool)).rejects.toThrow('link_breakdowns_listed_check')
  const api = await startApi({ databaseUrl: url })
  await startWorker({ databaseUrl: url })
  const slug = await shorten(api.origin)
  let newVisits = 0
  const countsAnother = async () => {
    await visit(api.origin, slug, { 'user-agent': 'Slackbot-LinkExpanding 1.0' })
    await waitForVisits(api.origin, slug, ++newVisits, countedWithinMs)
  }
  await countsAnother()
  await oldWorker.recordsOneMore()
  const oldVisits = await oldWorker.stop()

  const log = openLog({ name: 'test', level: 'silent' })
  const reclassifier = createDayReclassifier(seeding, log)
  let finished = false
  const reclassified = waitUntil(
    async () => {
      if (!nightly) await reclassifier.run()
      return (await unclassified()) === 0
    },
    { what: 'all days follow the new rules', deadlineMs: 20 * 60_000, everyMs: 500 },
  ).finally(() => {
    finished = true
  })
  while (!finished) await countsAnother()
  await reclassified
  expect(await compareCounts(seeding)).toEqual([])
  const { rows } = await pool.query('SELECT visits::int, bots::int FROM link_totals WHERE link_id = 0')
  expect(rows).toEqual([
    { visits: visitsBefore + oldVisits + newVisits, bots: Math.floor(visitsBefore / 4) + oldVisits },
  ])

  async function unclassified(): Promise<number> {
    const { rows: days } = await pool.query<{ visits: number }>(
      `SELECT (SELECT sum(visits) FROM link_days WHERE link_id = 0) -
                (SELECT sum(visits) FROM classified_days) AS visits`,
    )
    return Number(days[0]?.visits)
  }
})

test('a day whose visits disagree with its raw visits is left for verify', async () => {
  const { url } = await createFirstReleaseDatabase()
  const pool = openPool(url)
  await seedFirstRelease(pool, 400, 2)
  await migrateDatabase({ databaseUrl: url, redisUrl: undefined })
  await pool.query('DELETE FROM visits WHERE visited_at = (SELECT min(visited_at) FROM visits)')
  const before = await pool.query('SELECT day, visits FROM link_days WHERE link_id = 0 ORDER BY day')
  const reclassifier = createDayReclassifier(pool, openLog({ name: 'test', level: 'silent' }))
  await reclassifier.run()
  expect(await reclassifier.run()).toBe(before.rows.length - 1)
  expect(await reclassifier.run()).toBe(0)
  expect((await pool.query('SELECT day, visits FROM link_days WHERE link_id = 0 ORDER BY day')).rows).toEqual(
    before.rows,
  )
})

/** Records a visit every 20 ms, in the statements of 0.1.0. */
function startOldWorker(url: string) {
  const pool = openPool(url)
  let recorded = 0
  let stopped = false
  const working = (async () => {
    for (let seq = 2; !stopped; seq++) {
      await recordAsFirstRelease(pool, seq)
      recorded++
      await sleep(20)
    }
  })()
  working.catch(() => {})
  return {
    async recordsOneMore() {
      const before = recorded
      await Promise.race([
        waitUntil(() => recorded > before, { what: 'the old worker records', deadlineMs: countedWithinMs }),
        working,
      ])
    },
    async stop() {
      stopped = true
      await working
      return recorded
    },
  }
}
