/** What API and worker look at before they start, since nobody would see it later. */
import { describe, expect, test } from 'vitest'
import { openPool, startApi, startWorker } from '../support/hopcount.ts'
import { startProcess } from '../support/processes.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

const programs = ['apps/api/main.ts', 'apps/worker/main.ts']

async function linesOfFailedStart(script: string, env: Record<string, string>): Promise<string[]> {
  const started = startProcess({
    script,
    env: { SPOOL_DIR: temporaryFolder(), PORT: '0', WORKER_METRICS_PORT: '0', LOG_LEVEL: 'error', ...env },
  })
  expect(await started.exited).toEqual({ code: 1, signal: null })
  return started.output().trimEnd().split('\n')
}

// Mostly they wait.
describe.concurrent('a database that lacks a migration in the middle', () => {
  const removed = '20261122000003'
  const lackingOne = async () => {
    const { url } = await createTestDatabase()
    await openPool(url).query('DELETE FROM schema_migrations WHERE version = $1', [removed])
    return url
  }

  test.concurrent.each(programs)('is refused by %s in one line that names it', async script => {
    const lines = await linesOfFailedStart(script, { DATABASE_URL: await lackingOne() })
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`lacks 1 migrations.*${removed}.*npm run migrate`)),
    ])
  })

  test('is waited for', async () => {
    const databaseUrl = await lackingOne()
    const starting = Promise.all([startApi({ databaseUrl }), startWorker({ databaseUrl })])
    const pool = openPool(databaseUrl)
    const look = `SELECT FROM pg_stat_activity WHERE datname = current_database()
                  AND application_name IN ('hopcount api', 'hopcount worker') AND query LIKE '%schema_migrations%'`
    await waitUntil(async () => (await pool.query(look)).rowCount === 2, { what: 'both have looked' })
    await pool.query('INSERT INTO schema_migrations (version) VALUES ($1)', [removed])
    await starting
  })

  test('one that has more than the release is fine', async () => {
    const { url: databaseUrl } = await createTestDatabase()
    await openPool(databaseUrl).query(`INSERT INTO schema_migrations (version) VALUES ('29990101000001')`)
    await startApi({ databaseUrl })
  })
})

describe.skipIf(!redisAvailable()).concurrent('a Redis', () => {
  test.each(programs)('that evicts jobs is refused by %s', async script => {
    const redis = await startRedis({ policy: 'allkeys-lru' })
    const lines = await linesOfFailedStart(script, {
      DATABASE_URL: (await createTestDatabase()).url,
      REDIS_URL: redis.url,
    })
    expect(lines).toEqual([expect.stringMatching(/REDIS_URL evicts keys of the queue \(.*allkeys-lru\)/)])
  })

  test.each([
    ['REDIS_URL', 'apps/api/main.ts'],
    ['REDIS_URL', 'apps/worker/main.ts'],
    ['CACHE_REDIS_URL', 'apps/api/main.ts'],
  ])('in cluster mode as %s is refused by %s', async (name, script) => {
    const cluster = await startRedis({ cluster: true })
    const lines = await linesOfFailedStart(script, {
      DATABASE_URL: (await createTestDatabase()).url,
      REDIS_URL: (await startRedis({ appendonly: true })).url,
      [name]: cluster.url,
    })
    expect(lines).toEqual([expect.stringContaining(`${name} is a Redis in cluster mode`)])
  })

  test('without an append-only file is warned of, and used', async () => {
    const redis = await startRedis()
    const api = await startApi({ databaseUrl: (await createTestDatabase()).url, redisUrl: redis.url })
    await api.process.waitForLine(/"level":40.*REDIS_URL keeps no append-only file/)
  })

  test('that is unfit is named once it can be reached', async () => {
    const redis = await startRedis({ policy: 'allkeys-lru' })
    await redis.stop()
    const api = await startApi({ databaseUrl: (await createTestDatabase()).url, redisUrl: redis.url })
    await redis.restart()
    await api.process.waitForLine(/"level":50.*REDIS_URL evicts keys of the queue/)
  })
})
