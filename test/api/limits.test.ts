import type { Socket } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import { isLocalClient } from '../../apps/api/client-addresses.ts'
import type { RunningApi } from '../support/hopcount.ts'
import { shorten, startApi } from '../support/hopcount.ts'
import type { TestRedis } from '../support/redis.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

const limits = { TRUST_PROXY: '127.0.0.0/8', RATE_LIMIT_WRITES: '3', RATE_LIMIT_STATS: '5' }

function from(address: string): Record<string, string> {
  return { 'x-forwarded-for': address }
}

async function makeLink(api: RunningApi, address: string): Promise<Response> {
  return fetch(`${api.origin}/shorten`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...from(address) },
    body: '{"long_url": "https://example.com/"}',
  })
}

async function statuses(requests: (() => Promise<Response>)[]): Promise<number[]> {
  const answers: number[] = []
  for (const request of requests) answers.push((await request()).status)
  return answers
}

const times = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item)

describe('without Redis', () => {
  let api: RunningApi
  let slug: string
  beforeAll(async () => {
    api = await startApi({ databaseUrl: (await createTestDatabase()).url, env: limits })
    slug = await shorten(api.origin)
  })

  test('a public address may create a limited number of links a minute, and is told when to try again', async () => {
    expect(await statuses(times(4, () => makeLink(api, '8.8.8.8')))).toEqual([201, 201, 201, 429])
    const refused = await makeLink(api, '8.8.8.8')
    expect(refused.headers.get('content-type')).toContain('application/problem+json')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(refused.headers.get('ratelimit-limit')).toBe('3')
    expect(refused.headers.get('ratelimit-remaining')).toBe('0')
    expect((await makeLink(api, '8.8.4.4')).status).toBe(201)
  })

  test('IPv6 addresses of one /64 are one client', async () => {
    const answers = await statuses([1, 2, 3, 4].map(n => () => makeLink(api, `2a00:1:2:3::${n}`)))
    expect(answers).toEqual([201, 201, 201, 429])
    expect((await makeLink(api, '2a00:1:2:4::1')).status).toBe(201)
  })

  test('statistics have a separate limit, and redirects have none', async () => {
    const headers = from('9.9.9.9')
    expect(await statuses(times(6, () => fetch(`${api.origin}/stats`, { headers })))).toEqual([
      ...times(5, 200),
      429,
    ])
    const follow = () => fetch(`${api.origin}/${slug}`, { headers, redirect: 'manual' })
    expect(await statuses(times(20, follow))).toEqual(times(20, 307))
    expect((await makeLink(api, '9.9.9.9')).status).toBe(201)
  })

  test('an address with a port added by a proxy is the same client', async () => {
    const answers = await statuses([1, 2, 3, 4].map(n => () => makeLink(api, `7.7.7.7:${n}`)))
    expect(answers).toEqual([201, 201, 201, 429])
  })

  test('IPv4 addresses mapped into IPv6 are the same clients, whoever maps them', async () => {
    const forms = ['6.6.6.6', '::ffff:6.6.6.6', '[::ffff:6.6.6.6]:1', '::FFFF:606:606']
    expect(await statuses(forms.map(form => () => makeLink(api, form)))).toEqual([201, 201, 201, 429])
    for (const address of ['::ffff:10.9.8.7', '::ffff:127.0.0.9'])
      expect(await statuses(times(4, () => makeLink(api, address)))).toEqual([201, 201, 201, 429])
  })

  test('private addresses are limited, but a client on this machine is not', async () => {
    for (const address of ['10.1.2.3', '192.168.0.7', 'fd00::1', '127.0.0.1'])
      expect(await statuses(times(4, () => makeLink(api, address)))).toEqual([201, 201, 201, 429])
    for (let i = 0; i < 5; i++) await shorten(api.origin)
  })
})

test.each([
  ['127.0.0.1', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:7f00:1', true],
  ['127.8.8.8', true],
  ['10.0.0.1', false],
  ['::ffff:10.0.0.1', false],
  ['192.168.1.1', false],
  ['172.17.0.1', false],
  ['169.254.1.1', false],
  ['fd00::1', false],
  ['fe80::1%eth0', false],
  ['::ffff:8.8.8.8', false],
])('of peers, only those on this machine have no limit: %s %s', (remoteAddress, isLocal) => {
  const request = { headers: {}, socket: { remoteAddress } as Socket }
  expect(isLocalClient(request)).toBe(isLocal)
})

test('a proxy on this machine that TRUST_PROXY does not name is limited like a single client', async () => {
  const api = await startApi({
    databaseUrl: (await createTestDatabase()).url,
    env: { RATE_LIMIT_WRITES: '3' },
  })
  const addresses = ['8.8.8.8', '8.8.4.4', '1.1.1.1', '9.9.9.9']
  expect(await statuses(addresses.map(address => () => makeLink(api, address)))).toEqual([201, 201, 201, 429])
})

test('an address has at most 50 live streams, and those that end make room', async () => {
  const api = await startApi({
    databaseUrl: (await createTestDatabase()).url,
    env: { TRUST_PROXY: '127.0.0.0/8', RATE_LIMIT_STATS: '0' },
  })
  const open = (address: string) => {
    const stop = new AbortController()
    const answer = fetch(`${api.origin}/stats/live`, { headers: from(address), signal: stop.signal })
    return { answer, stop }
  }
  const streams = times(50, undefined).map(() => open('5.5.5.5'))
  const answers = await Promise.all(streams.map(({ answer }) => answer))
  expect(answers.map(({ status }) => status)).toEqual(times(50, 200))
  const refused = await open('5.5.5.5').answer
  expect(refused.status).toBe(429)
  expect(refused.headers.get('retry-after')).toBe('10')
  expect(refused.headers.get('content-type')).toContain('application/problem+json')
  const other = open('5.5.5.6')
  expect((await other.answer).status).toBe(200)
  streams[0]?.stop.abort()
  const next = await waitUntil(
    async () => {
      const again = open('5.5.5.5')
      return (await again.answer).status === 200 && again
    },
    { what: 'there is room again' },
  )
  for (const { stop } of [...streams, other, next]) stop.abort()
})

describe.skipIf(!redisAvailable())('with Redis', () => {
  test('two processes share a limit, and each counts on its own while Redis is unavailable', async () => {
    const redis: TestRedis = await startRedis()
    const installation = { databaseUrl: (await createTestDatabase()).url, redisUrl: redis.url, env: limits }
    const [first, second] = await Promise.all([startApi(installation), startApi(installation)])
    // Until both are connected, and whenever Redis exceeds its deadline, a process counts on its own.
    let client = 0
    await waitUntil(
      async () => {
        const address = `8.8.8.${++client}`
        const answers = await statuses(
          [first, second, first, second].map(api => () => makeLink(api, address)),
        )
        expect(answers.slice(0, 3)).toEqual([201, 201, 201])
        return answers[3] === 429
      },
      { what: 'the fourth request is refused, whichever process it reaches' },
    )
    await redis.kill9()
    expect(await statuses(times(4, () => makeLink(first, '1.1.1.1')))).toEqual([201, 201, 201, 429])
    expect((await makeLink(second, '1.1.1.1')).status).toBe(201)
  })
})
