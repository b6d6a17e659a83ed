/**
 * A connection to PostgreSQL may be ended at any moment, also between becoming ready and its first query. No process
 * ends because of that, and everything works again once connections last.
 */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { startEndingProxy } from '../support/ending-proxy.ts'
import { shorten, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

const queues = redisAvailable() ? ['PostgreSQL', 'Redis'] : ['PostgreSQL']

/** An installation whose connections lead through a proxy. */
async function install(queue: string) {
  const { url } = await createTestDatabase()
  const proxy = await startEndingProxy(url)
  const redisUrl = queue === 'Redis' ? (await startRedis({ appendonly: true })).url : undefined
  return { proxy, parts: { databaseUrl: proxy.url, redisUrl } }
}

test('an API whose queue connections end at the start delivers visits once they last', async () => {
  const { proxy, parts } = await install('PostgreSQL')
  await startWorker(parts)
  proxy.end('hopcount queue')
  const api = await startApi(parts)
  const slug = await shorten(api.origin)
  await visit(api.origin, slug)
  await waitUntil(() => proxy.ended() > 3, { what: 'connections of the queue are ended' })
  proxy.end(undefined)
  await waitForVisits(api.origin, slug, 1)
  expect(api.process.output()).not.toContain('unexpected error')
})

test('a worker whose queue connections end at the start records once they last', async () => {
  const { proxy, parts } = await install('PostgreSQL')
  const api = await startApi(parts)
  const slug = await shorten(api.origin)
  await visit(api.origin, slug)
  proxy.end('hopcount queue')
  const worker = await startWorker(parts)
  await waitUntil(() => proxy.ended() > 3, { what: 'connections of the queue are ended' })
  proxy.end(undefined)
  await waitForVisits(api.origin, slug, 1)
  expect(worker.output()).not.toContain('unexpected error')
})

test.each(queues)('every connection may end as soon as it is ready, with the queue in %s', async queue => {
  const { proxy, parts } = await install(queue)
  const api = await startApi(parts)
  const worker = await startWorker(parts)
  const slug = await shorten(api.origin)
  await visit(api.origin, slug)
  await waitForVisits(api.origin, slug, 1)
  // By now the API has heard of its own link, and keeps what it looks up.
  await visit(api.origin, slug)

  proxy.end('hopcount')
  proxy.cutConnections()
  const ended = proxy.ended()
  await waitUntil(
    async () => {
      // Each fails, on a pool of its own: links, statistics, exports.
      await visit(api.origin, slug)
      await shorten(api.origin).catch(() => {})
      for (const path of ['/stats', `/stats/${slug}/visits?limit=1`, `/${randomBytes(8).toString('hex')}`])
        await fetch(`${api.origin}${path}`).then(response => response.arrayBuffer())
      return proxy.ended() > ended + 20
    },
    { what: 'new connections are ended' },
  )
  proxy.end(undefined)
  await waitUntil(() => shorten(api.origin), { what: 'links are created again' })
  await waitForVisits(api.origin, slug, await keptVisits(api.origin))
  for (const { output } of [api.process, worker]) expect(output()).not.toContain('unexpected error')
})

async function keptVisits(origin: string): Promise<number> {
  const metrics = await (await fetch(`${origin}/metrics`)).text()
  return Number(/^hopcount_visits_kept_total (\d+)/m.exec(metrics)?.[1])
}
