/** max_visits, over two API processes and their whole path: 307, count, state. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, startApi, startWorker, waitForVisits } from '../../support/hopcount.ts'
import { isNightly } from '../../support/nightly.ts'
import { anyRedisAvailable, startRedis } from '../../support/redis.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { LinkClient } from '../resource/link-client.ts'
import { linkClient } from '../resource/link-client.ts'

const rounds = isNightly ? 20 : 1

let databaseUrl: string
let apis: [RunningApi, RunningApi]
let links: LinkClient
beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  apis = await Promise.all([startApi({ databaseUrl }), startApi({ databaseUrl })])
  await startWorker({ databaseUrl })
  links = linkClient(apis[0].origin)
})

/** The statuses of concurrent requests, spread over the processes. No response: 0. */
function burst(origins: string[], slug: string, requests: number, method = 'GET'): Promise<number[]> {
  return Promise.all(
    Array.from({ length: requests }, async (_, request) => {
      try {
        const origin = origins[request % origins.length]
        const response = await fetch(`${origin}/${slug}`, { method, redirect: 'manual' })
        await response.arrayBuffer()
        return response.status
      } catch {
        return 0
      }
    }),
  )
}

const both = () => apis.map(({ origin }) => origin)
const count = (statuses: number[], status: number) => statuses.filter(each => each === status).length

async function stateOf(slug: string): Promise<unknown> {
  return (await links.send('GET', `/api/links/${slug}`)).body.state
}

test('of 500 visitors at once exactly the allowed 100 are redirected and counted', {
  timeout: rounds * 60_000,
}, async () => {
  for (let round = 0; round < rounds; round++) {
    const { slug } = await links.create({ max_visits: 100 })
    expect(await stateOf(slug)).toBe('active')
    const statuses = await burst(both(), slug, 500)
    expect([count(statuses, 307), count(statuses, 410)]).toEqual([100, 400])
    expect(await stateOf(slug)).toBe('exhausted')
    expect(await burst(both(), slug, 4, 'HEAD')).toEqual([410, 410, 410, 410])
    await waitForVisits(apis[0].origin, slug, 100)
  }
})

test('HEAD and prefetches take no visit; after the last one visitors are sent to expired_url', async () => {
  const { slug } = await links.create({ max_visits: 3, expired_url: 'https://example.com/over' })
  expect(await burst(both(), slug, 10, 'HEAD')).toEqual(Array(10).fill(307))
  const prefetch = await fetch(`${apis[0].origin}/${slug}`, {
    redirect: 'manual',
    headers: { 'sec-purpose': 'prefetch' },
  })
  expect(prefetch.status).toBe(503)
  const targets: (string | null)[] = []
  for (let request = 0; request < 6; request++) targets.push((await links.follow(slug))[1])
  expect(targets).toEqual([
    ...Array(3).fill('https://example.com/'),
    ...Array(3).fill('https://example.com/over'),
  ])
  await waitForVisits(apis[0].origin, slug, 3)
})

test('a limit that is raised and lowered under load is kept to', { timeout: rounds * 60_000 }, async () => {
  for (let round = 0; round < rounds; round++) {
    const { slug } = await links.create({ max_visits: 50 })
    const change = async (maxVisits: number) =>
      expect((await links.send('PATCH', `/api/links/${slug}`, { max_visits: maxVisits })).status).toBe(200)
    const early = burst(both(), slug, 150)
    await change(120)
    let redirects = count(await early, 307)
    expect(redirects).toBeLessThanOrEqual(120)
    await waitUntil(
      async () => {
        redirects += count(await burst(both(), slug, 40), 307)
        return redirects >= 120
      },
      { what: 'what the raised limit allows is used' },
    )
    redirects += count(await burst(both(), slug, 40), 307)
    expect(redirects).toBe(120)
    await change(10_000)
    await waitUntil(
      async () => {
        const [first = 0, second = 0] = await Promise.all(
          both().map(async origin => count(await burst([origin], slug, 5), 307)),
        )
        redirects += first + second
        return first > 0 && second > 0
      },
      { what: 'both processes redirect again, and reserve ahead' },
    )
    await change(redirects)
    await waitUntil(
      async () => {
        const [first = [], second = []] = await Promise.all(both().map(origin => burst([origin], slug, 5)))
        redirects += count([...first, ...second], 307)
        return count(first, 410) > 0 && count(second, 410) > 0
      },
      { what: 'both processes know the lowered limit' },
    )
    expect(count(await burst(both(), slug, 40), 410)).toBe(40)
    await waitForVisits(apis[0].origin, slug, redirects)
  }
})

test('a process that is killed under load leaves no more visits than allowed', {
  timeout: rounds * 60_000,
}, async () => {
  for (let round = 0; round < rounds; round++) {
    const doomed = await startApi({ databaseUrl })
    const { slug } = await links.create({ max_visits: 100 })
    const underWay = burst([apis[0].origin, doomed.origin], slug, 120)
    await waitUntil(
      async () =>
        (
          await pool().query(
            'SELECT FROM link_quotas JOIN links ON id = link_id WHERE slug = $1 AND granted > 0',
            [slug],
          )
        ).rowCount === 1,
      { what: 'the processes reserve', everyMs: 1 },
    )
    doomed.process.kill('SIGKILL')
    const before = await underWay
    const after = await burst([apis[0].origin], slug, 150)
    expect(count(after, 0)).toBe(0)
    const redirects = count(before, 307) + count(after, 307)
    // The killed process had room for its own requests at most, and a sixteenth of the rest.
    expect(redirects).toBeGreaterThanOrEqual(100 - 60 - 6)
    expect(redirects).toBeLessThanOrEqual(100)
    // Each answered redirect is counted; others may be whose response never left.
    const { visits } = await waitUntil(
      async () => {
        const response = await fetch(`${apis[0].origin}/stats/${slug}`)
        const pending = Number(response.headers.get('x-stats-pending'))
        const stats = (await response.json()) as { visits: number }
        return pending === 0 && stats.visits >= redirects && stats
      },
      { what: 'everything is counted' },
    )
    expect(visits).toBeLessThanOrEqual(100)
  }
})

describe.skipIf(!anyRedisAvailable())('a visit that can not be kept', () => {
  test('leaves its place to the next visitor', async () => {
    const redis = await startRedis({ appendonly: true })
    const proxy = await startTcpProxy({ port: redis.port })
    const api = await startApi({
      databaseUrl,
      redisUrl: `redis://127.0.0.1:${proxy.port}`,
      env: { VISIT_DURABILITY: 'queue' },
    })
    const { slug } = await links.create({ max_visits: 2 })
    expect(await burst([api.origin], slug, 1)).toEqual([307])
    proxy.setMode('reset')
    await waitUntil(async () => (await burst([api.origin], slug, 1))[0] === 503, {
      what: 'a visit is refused',
    })
    expect(await burst([api.origin], slug, 5)).toEqual(Array(5).fill(503))
    proxy.setMode('pass')
    await waitUntil(async () => (await burst([api.origin], slug, 1))[0] === 307, {
      what: 'the next visitor is redirected',
    })
    expect(await burst([api.origin], slug, 1)).toEqual([410])
  })
})

function pool() {
  queries ??= openPool(databaseUrl)
  return queries
}
let queries: ReturnType<typeof openPool> | undefined
