/** Changes by the API reach every process: real ones, two of which share a port. */
import { beforeAll, expect, test } from 'vitest'
import { freePort } from '../../../apps/stack/processes/free-port.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { shorten, startApi } from '../../support/hopcount.ts'
import { anyRedis, anyRedisAvailable } from '../../support/redis.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { answerTo, requestBytes } from '../requests.ts'

let apis: RunningApi[]

beforeAll(async () => {
  const { url: databaseUrl } = await createTestDatabase()
  const cache = anyRedisAvailable() ? { CACHE_REDIS_URL: (await anyRedis()).url } : {}
  apis = await Promise.all([
    startApi({ databaseUrl, env: cache }),
    startApi({ databaseUrl, env: { ...cache, WEB_CONCURRENCY: '2' }, port: await freePort() }),
  ])
})

/** Each request has a connection of its own; the processes that share a port take turns. */
async function everywhere(slug: string): Promise<string[]> {
  const seen = new Set<string>()
  for (const { port } of apis) {
    for (let i = 0; i < 6; i++) {
      const { status, headers } = await answerTo(port, requestBytes('GET', `/${slug}`))
      seen.add(`${status} ${headers.get('location') ?? ''}`.trim())
    }
  }
  return [...seen]
}

async function change(method: string, slug: string, body?: Record<string, unknown>): Promise<void> {
  const response = await fetch(`${apis[0]?.origin}/api/links/${slug}`, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  await response.arrayBuffer()
  expect(response.ok, `${method} answered ${response.status}`).toBe(true)
  const confirmedAt = performance.now()
  await waitUntil(() => performance.now() > confirmedAt + 1_000, { what: 'a second has passed' })
}

test('a link is edited, disabled, enabled and deleted in every process', async () => {
  const slug = await shorten(apis[0]?.origin ?? '', { long_url: 'https://example.com/former' })
  expect(await everywhere(slug)).toEqual(['307 https://example.com/former'])
  await change('PATCH', slug, { long_url: 'https://example.com/next' })
  expect(await everywhere(slug)).toEqual(['307 https://example.com/next'])
  await change('PATCH', slug, { disabled: true })
  expect(await everywhere(slug)).toEqual(['404'])
  await change('PATCH', slug, { disabled: false })
  expect(await everywhere(slug)).toEqual(['307 https://example.com/next'])
  await change('DELETE', slug)
  expect(await everywhere(slug)).toEqual(['410'])
})
