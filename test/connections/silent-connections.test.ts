/** Connections that carry nothing any more, without a sign of that to either end: a cut cable, a forgetful NAT. */
import { expect, test } from 'vitest'
import { shorten, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import { isNightly, nightlyTest } from '../support/nightly.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import { startStack } from '../support/stack.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'

async function through(url: string): Promise<{ proxy: TcpProxy; url: string }> {
  const address = new URL(url)
  const proxy = await startTcpProxy({ port: Number(address.port) })
  address.port = String(proxy.port)
  return { proxy, url: address.href }
}

test.skipIf(!redisAvailable()).concurrent.each(isNightly ? ['PostgreSQL', 'Redis'] : ['PostgreSQL'])(
  'npm start ends within 15 s of SIGTERM although %s is silent',
  async silent => {
    const redis = await through((await startRedis({ appendonly: true })).url)
    const database = await through((await createTestDatabase()).url)
    const stack = await startStack(temporaryFolder(), { DATABASE_URL: database.url, REDIS_URL: redis.url })
    await stack.waitForLine(/is ready/)
    const slug = await shorten(stack.address)
    await visit(stack.address, slug)
    await waitForVisits(stack.address, slug, 1)
    await visit(stack.address, slug)

    const { proxy } = silent === 'Redis' ? redis : database
    proxy.setMode('black-hole')
    for (let i = 0; i < 5; i++) await visit(stack.address, slug)
    // It is killed if it takes longer.
    expect(await stack.stop(15_000)).toEqual({ code: 0, signal: null })
  },
)

nightlyTest(
  'a worker whose queue is in PostgreSQL goes on after all of its connections died without a sign',
  async () => {
    const { url: databaseUrl } = await createTestDatabase()
    const { proxy, url } = await through(databaseUrl)
    const api = await startApi({ databaseUrl })
    await startWorker({ databaseUrl, env: { DATABASE_URL: url } })
    const slug = await shorten(api.origin)
    await visit(api.origin, slug)
    await waitForVisits(api.origin, slug, 1)
    proxy.abandonConnections()
    await visit(api.origin, slug)
    await waitForVisits(api.origin, slug, 2, 60_000)
  },
  120_000,
)
