/** A redirect whose visit can't be recorded gets the same response by the fast path as by Fastify. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningApi } from '../../support/hopcount.ts'
import { shorten, startApi, visit } from '../../support/hopcount.ts'
import { redisAvailable, startRedis } from '../../support/redis.ts'
import type { TcpProxy } from '../../support/tcp-proxy.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { bothWays, exchange, statusesOf } from './both-ways.ts'
import { get } from './kinds-of-requests.ts'

describe.skipIf(!redisAvailable())('a visit that can not be recorded', { timeout: 60_000 }, () => {
  let api: RunningApi
  let slugs: [string, string]
  let toRedis: TcpProxy
  let toPostgres: TcpProxy
  beforeAll(async () => {
    const database = new URL((await createTestDatabase()).url)
    toRedis = await startTcpProxy({ port: (await startRedis()).port })
    toPostgres = await startTcpProxy({ port: Number(database.port) })
    database.port = String(toPostgres.port)
    api = await startApi({
      databaseUrl: database.href,
      redisUrl: `redis://127.0.0.1:${toRedis.port}`,
      env: { VISIT_DURABILITY: 'queue' },
    })
    slugs = [
      await shorten(api.origin, { long_url: 'https://elsewhere.example/a' }),
      await shorten(api.origin, { long_url: 'https://elsewhere.example/a' }),
    ]
    for (const slug of slugs) await visit(api.origin, slug)
  })

  test.each([
    ['a problem document', {}],
    ['a page', { accept: 'text/html' }],
  ])('is refused both ways with %s, and that once', async (_, headers) => {
    const before = await refused(api)
    toRedis.setMode('reset')
    const [fast, ordinary] = await bothWays(api.port, ...slugs, { bytes: get(headers), statuses: [503] })
    toRedis.setMode('pass')
    expect(statusesOf(fast)).toEqual([503])
    expect(fast).toBe(ordinary)
    expect(await refused(api)).toBe(before + 2)
  })

  test('is followed by no response where nobody knows whether it counts', async () => {
    const [slug] = slugs
    toPostgres.setMode('reset')
    // From now on links in memory are trusted without asking.
    await waitUntil(() => isFollowed(slug), { what: `/${slug} is followed without PostgreSQL` })
    toRedis.setMode('drop-replies')
    expect(await exchange(api.port, get()(`/${slug}`), { statuses: [307] })).toBe('')
  })

  function isFollowed(slug: string): Promise<boolean> {
    return visit(api.origin, slug).then(
      () => true,
      () => false,
    )
  }
})

async function refused(api: RunningApi): Promise<number> {
  const metrics = await fetch(`${api.origin}/metrics`).then(response => response.text())
  return Number(/^hopcount_visits_refused_total (\d+)$/m.exec(metrics)?.[1])
}
