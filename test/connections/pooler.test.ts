/** PgBouncer in transaction mode between Hopcount and PostgreSQL. */
import { describe, expect, test } from 'vitest'
import { openPool, poolConfig } from '../../apps/shared/database/database.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import { shorten, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import { pgBouncerAvailable, startPgBouncer } from '../support/pgbouncer.ts'
import { startProcess } from '../support/processes.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

const refusesSettings = {}
const ignoresSettings = {
  ignore_startup_parameters: 'statement_timeout,idle_in_transaction_session_timeout,options',
}

describe.skipIf(!pgBouncerAvailable())('through PgBouncer in transaction mode', () => {
  const queues = redisAvailable() ? ['PostgreSQL', 'Redis'] : ['PostgreSQL']
  test.each(queues)('links are created, followed and counted, with the queue in %s', async queue => {
    const { url } = await createTestDatabase()
    const redisUrl = queue === 'Redis' ? (await startRedis({ appendonly: true })).url : undefined
    const pooler = await startPgBouncer(url)
    const parts = { databaseUrl: pooler.url, redisUrl, env: { DIRECT_DATABASE_URL: url } }
    const [api, other, worker] = await Promise.all([startApi(parts), startApi(parts), startWorker(parts)])
    const slugs = await Promise.all(Array.from({ length: 40 }, () => shorten(api.origin)))
    for (const slug of slugs.slice(0, 10))
      await Promise.all(Array.from({ length: 5 }, () => visit(other.origin, slug)))
    for (const slug of slugs.slice(0, 10)) await waitForVisits(api.origin, slug, 5)
    for (const path of ['/stats', `/stats/${slugs[0]}/breakdowns`, `/stats/${slugs[0]}/export`]) {
      const response = await fetch(`${api.origin}${path}`)
      await response.arrayBuffer()
      expect(response.status, path).toBe(200)
    }

    // Remembered as absent, until the other process creates it.
    const get = () => fetch(`${other.origin}/later`, { redirect: 'manual' })
    expect((await get()).status).toBe(404)
    await shorten(api.origin, { slug: 'later' })
    await waitUntil(async () => (await get()).status === 307, { what: 'the other process hears of the link' })
    for (const { output } of [api.process, other.process, worker])
      expect(output()).not.toMatch(/prepared statement|unsupported|unexpected error/)
  })

  test.each([
    ['the API', 'apps/api/main.ts', refusesSettings],
    ['the API, where start-up parameters are ignored', 'apps/api/main.ts', ignoresSettings],
    ['a worker', 'apps/worker/main.ts', refusesSettings],
    ['a worker, where start-up parameters are ignored', 'apps/worker/main.ts', ignoresSettings],
  ])('%s without DIRECT_DATABASE_URL says in one line that it is needed', async (_, script, settings) => {
    const { url } = await createTestDatabase()
    const pooler = await startPgBouncer(url, settings)
    const started = startProcess({
      script,
      env: {
        DATABASE_URL: pooler.url,
        SPOOL_DIR: temporaryFolder(),
        PORT: '0',
        WORKER_METRICS_PORT: '0',
        REDIS_URL: 'redis://127.0.0.1:1',
        LOG_LEVEL: 'silent',
      },
    })
    expect((await started.exited).code).toBe(1)
    expect(started.output().trim().split('\n')).toHaveLength(1)
    expect(started.output()).toContain('DIRECT_DATABASE_URL')
  })

  test('a DIRECT_DATABASE_URL that leads to a pooler is refused', async () => {
    const { url } = await createTestDatabase()
    const pooler = await startPgBouncer(url)
    const started = startProcess({
      script: 'apps/api/main.ts',
      env: {
        DATABASE_URL: pooler.url,
        DIRECT_DATABASE_URL: pooler.url,
        SPOOL_DIR: temporaryFolder(),
        PORT: '0',
        LOG_LEVEL: 'silent',
      },
    })
    expect((await started.exited).code).toBe(1)
    expect(started.output()).toMatch(/^hopcount api: DIRECT_DATABASE_URL leads to a transaction pooler.*\n$/)
  })

  test('a statement that can not be serialized is repeated', async () => {
    const { url } = await createTestDatabase()
    const options = { max: 4, applicationName: 'test', statementTimeoutMs: 10_000 }
    const direct = openPool(poolConfig(url, options), () => {})
    await direct.query(
      `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_isolation TO 'repeatable read'`,
    )
    const pooler = await startPgBouncer(url)
    const pooled = openPool(poolConfig(pooler.url, { ...options, pooled: true }), () => {})
    cleanUpLater(() => Promise.all([direct.end(), pooled.end()]))
    await direct.query('CREATE TABLE counter AS SELECT 0 AS count')
    const { rows } = await pooled.query('SHOW transaction_isolation')
    expect(rows).toEqual([{ transaction_isolation: 'repeatable read' }])

    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let i = 0; i < 10; i++) await pooled.query('UPDATE counter SET count = count + 1')
      }),
    )
    expect((await direct.query('SELECT count FROM counter')).rows).toEqual([{ count: 40 }])
  })
})
