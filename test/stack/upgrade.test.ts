/**
 * From 0.1.0, whose workers go on recording until they are replaced. UPGRADE_VISITS is the number of visits that the
 * database already has: a few thousand in the gate, 3 million in the nightly run, which leaves all to the worker.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
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
  shortenAsFirstRelease,
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
  await addApiLinks(pool)
  const oldWorker = startOldWorker(url)
  const oldApi = startOldApi(url)
  await oldWorker.recordsOneMore()
  await oldApi.shortensOneMore()

  const warnings: string[] = []
  await migrateDatabase({ databaseUrl: url, redisUrl: undefined, warn: line => warnings.push(line) })
  expect(warnings).toEqual([
    expect.stringMatching('^the link /API still leads to its target'),
    expect.stringMatching('^the link /api still leads to its target'),
  ])
  await migrateDatabase({ databaseUrl: url, redisUrl: undefined, warn: line => warnings.push(line) })
  expect(warnings).toHaveLength(2)
  await oldWorker.recordsOneMore()
  await oldApi.shortensOneMore()
  // Otherwise it would cut breakdowns to the 100 values that it lists.
  await expect(foldAsFirstRelease(pool)).rejects.toThrow('link_breakdowns_listed_check')
  const api = await startApi({ databaseUrl: url })
  await startWorker({ databaseUrl: url })
  const slug = await shorten(api.origin)
  const redirects = startRedirects(api.origin)
  let newVisits = 0
  const countsAnother = async () => {
    await visit(api.origin, slug, preview)
    await waitForVisits(api.origin, slug, ++newVisits, countedWithinMs)
  }
  await countsAnother()
  await oldWorker.recordsOneMore()
  const oldVisits = await oldWorker.stop()
  await oldApi.shortensOneMore()
  // Its links are known to the new processes as soon as they exist.
  expect(await visit(api.origin, await oldApi.stop(), preview)).toMatch('https://example.com/')

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
  // The one of the old API's link, and those under load.
  newVisits += 1 + (await redirects.stop())
  await waitUntil(async () => (await allVisits()).visits === visitsBefore + oldVisits + newVisits, {
    what: 'every redirect is counted',
    deadlineMs: countedWithinMs,
  })
  expect(await compareCounts(seeding)).toEqual([])
  expect(await allVisits()).toEqual({
    visits: visitsBefore + oldVisits + newVisits,
    bots: Math.floor(visitsBefore / 4) + oldVisits,
  })

  async function allVisits() {
    const { rows } = await pool.query<{ visits: number; bots: number }>(
      'SELECT visits::int, bots::int FROM link_totals WHERE link_id = 0',
    )
    return rows[0] ?? { visits: 0, bots: 0 }
  }

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

test('days that other rules have classified are counted again, once', async () => {
  const { url } = await createFirstReleaseDatabase()
  const pool = openPool(url)
  await seedFirstRelease(pool, 400, 2)
  await migrateDatabase({ databaseUrl: url, redisUrl: undefined })
  const firstWorker = createDayReclassifier(pool, openLog({ name: 'test', level: 'silent' }))
  await firstWorker.run()
  const days = await firstWorker.run()
  expect(days).toBeGreaterThan(0)
  expect(await compareCounts(pool)).toEqual([])
  // As a release with the next version of the rules finds it.
  await pool.query('UPDATE classified_days SET rules = rules - 1')
  await pool.query('UPDATE link_days SET bots = visits WHERE link_id = 0')
  const worker = createDayReclassifier(pool, openLog({ name: 'test', level: 'silent' }))
  await worker.run()
  expect(await worker.run()).toBe(days)
  expect(await worker.run()).toBe(0)
  expect(await compareCounts(pool)).toEqual([])
})

/** Releases before `/api/…` gave anybody these slugs. */
async function addApiLinks(pool: pg.Pool): Promise<void> {
  await pool.query(
    `INSERT INTO links (slug, long_url) SELECT slug, 'https://example.com/' FROM unnest($1::text[]) AS slug`,
    [apiSlugs],
  )
}

/** Neither a bot nor a human. */
const preview = { 'user-agent': 'Slackbot-LinkExpanding 1.0' }

const apiSlugs = ['api', 'API']

/** Follows links of 0.1.0, those under `/api` among them, until it is stopped. Returns how many redirects there were. */
function startRedirects(origin: string) {
  let stopped = false
  let redirects = 0
  const following = Promise.all(
    [...apiSlugs, 'first-1', 'first-2'].map(async slug => {
      for (; !stopped; await sleep(50)) {
        expect(await visit(origin, slug, preview)).toMatch('https://example.com/')
        redirects++
      }
    }),
  )
  following.catch(() => {})
  return {
    async stop() {
      stopped = true
      await following
      return redirects
    },
  }
}

/** Creates a link every 20 ms and looks it up, in the statements of 0.1.0. */
function startOldApi(url: string) {
  const pool = openPool(url)
  let created = 0
  let stopped = false
  const working = (async () => {
    for (; !stopped; await sleep(20)) {
      const slug = `old-${created + 1}`
      expect(await shortenAsFirstRelease(pool, slug)).toBe(`https://example.com/${slug}`)
      created++
    }
  })()
  working.catch(() => {})
  return {
    async shortensOneMore() {
      const before = created
      await Promise.race([
        waitUntil(() => created > before, {
          what: 'the old API creates a link',
          deadlineMs: countedWithinMs,
        }),
        working,
      ])
    },
    /** Returns the last slug. */
    async stop() {
      stopped = true
      await working
      return `old-${created}`
    },
  }
}

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
