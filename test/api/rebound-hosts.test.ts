/** DNS rebinding: a page on the machine that runs the service reaches it under a name of its own. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningApi } from '../support/hopcount.ts'
import { shorten, startApi } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { answerTo, expectProblem, requestBytes, shortenBytes } from './requests.ts'

let databaseUrl: string
let api: RunningApi
let slug: string

beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  api = await startApi({
    databaseUrl,
    env: { PUBLIC_URL: 'https://go.example', OWN_HOSTS: 'second.example, third.example:8443' },
  })
  slug = await shorten(api.origin)
})

function get(path: string, headers: Record<string, string>) {
  return answerTo(api.port, requestBytes('GET', path, headers))
}

const routes = () => [
  '/',
  '/docs',
  '/openapi.json',
  '/metrics',
  '/api/session',
  '/api/keys',
  '/api/audit',
  '/api/links',
  `/api/links/${slug}`,
  '/stats',
  '/stats/overall',
  '/stats/live',
  '/stats/orphans',
  `/stats/${slug}`,
  `/stats/${slug}/breakdowns`,
  `/stats/${slug}/filtered`,
  `/stats/${slug}/visits`,
  `/stats/${slug}/export`,
  `/stats/${slug}/live`,
]

test.each([
  { host: 'evil.example' },
  { host: 'evil.example:8080' },
  { host: 'EVIL.example.' },
  { host: 'evil.example', origin: 'http://evil.example' },
  { host: 'evil.example', 'x-forwarded-for': '93.184.216.34' },
  { host: 'evil.example', 'x-forwarded-host': 'go.example' },
  { host: 'localhost.evil.example' },
  { host: '127.0.0.1.evil.example' },
  { host: 'go.example.evil.example' },
  { host: 'evilgo.example' },
])('with %j nothing can be read or created', async headers => {
  expectProblem(await answerTo(api.port, shortenBytes({ long_url: 'https://example.com/' }, headers)), 421)
  for (const route of routes()) {
    const { detail } = expectProblem(await get(route, headers), 421)
    expect(detail).toMatch(/PUBLIC_URL or OWN_HOSTS/)
  }
})

test.each([
  ['127.0.0.1'],
  ['localhost'],
  ['localhost:9999'],
  ['[::1]:8080'],
  ['hop.localhost'],
  ['hop.local'],
  ['hop:8080'],
  ['go.example'],
  ['GO.example.:8080'],
  ['second.example'],
  ['third.example'],
])('under %s they can', async host => {
  expect((await get(`/stats/${slug}`, { host })).status).toBe(200)
})

test('probes are served under any name', async () => {
  for (const path of ['/healthz', '/readyz'])
    expect((await get(path, { host: 'evil.example' })).status).toBe(200)
})

test('a link is followed under any name', async () => {
  expect((await get(`/${slug}`, { host: 'evil.example' })).status).toBe(307)
})

describe('a proxy on the same machine', () => {
  test('that TRUST_PROXY names decides which names it serves', async () => {
    const behindProxy = await startApi({ databaseUrl, env: { TRUST_PROXY: '127.0.0.1' } })
    const bytes = requestBytes('GET', '/stats', { host: 'any.example', 'x-forwarded-for': '93.184.216.34' })
    expect((await answerTo(behindProxy.port, bytes)).status).toBe(200)
    await behindProxy.process.stop()
  })
})
