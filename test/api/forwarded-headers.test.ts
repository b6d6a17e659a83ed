/** `X-Forwarded-*` gives the visitor's address and the requested URL, but only if a trusted proxy sends it. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningApi } from '../support/hopcount.ts'
import { startApi } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { answerTo, expectProblem, requestBytes, shortenBytes } from './requests.ts'

const forwarded = {
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-host': 'spoofed.example',
  'x-forwarded-proto': 'https',
}
const elsewhere = { long_url: 'https://example.com/' }

let databaseUrl: string
beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
})

describe.each([
  ['TRUST_PROXY is not set', {}],
  ['TRUST_PROXY names another network', { TRUST_PROXY: '10.0.0.0/8, fd00::/8' }],
])('where %s', (_, env: Record<string, string>) => {
  let api: RunningApi
  beforeAll(async () => {
    api = await startApi({ databaseUrl, env })
  })

  test('a short URL begins with the Host of the request', async () => {
    const answer = await answerTo(api.port, shortenBytes(elsewhere, forwarded))
    expect(answer.status).toBe(201)
    expect(JSON.parse(answer.body).short_url).toMatch(/^http:\/\/hop\.example\/\w{7}$/)
    expect(answer.headers.get('location')).toMatch(/^http:\/\/hop\.example\/\w{7}$/)
  })

  test('the host of the service is the Host of the request', async () => {
    const toSpoofed = { long_url: 'https://spoofed.example/' }
    expect((await answerTo(api.port, shortenBytes(toSpoofed, forwarded))).status).toBe(201)
    const toItself = { long_url: 'http://hop.example/' }
    expectProblem(await answerTo(api.port, shortenBytes(toItself, forwarded)), 422)
  })

  test.each(['', 'garbage', '127.0.0.1', '::1, 127.0.0.1', 'x'.repeat(5_000), '<script>'])(
    'a spoofed X-Forwarded-For causes no failure: %s',
    async address => {
      const answer = await answerTo(api.port, requestBytes('GET', '/stats', { 'x-forwarded-for': address }))
      expect(answer.status).toBe(200)
    },
  )
})

describe('where TRUST_PROXY names the network of the proxy', () => {
  let api: RunningApi
  beforeAll(async () => {
    api = await startApi({ databaseUrl, env: { TRUST_PROXY: '10.0.0.0/8, 127.0.0.0/8' } })
  })

  test('a short URL begins with the origin that the visitor requested from the proxy', async () => {
    const answer = await answerTo(api.port, shortenBytes(elsewhere, forwarded))
    expect(JSON.parse(answer.body).short_url).toMatch(/^https:\/\/spoofed\.example\/\w{7}$/)
  })

  test('the host of the service is that of the proxy', async () => {
    const toItself = { long_url: 'https://spoofed.example/' }
    expectProblem(await answerTo(api.port, shortenBytes(toItself, forwarded)), 422)
  })

  test.each([
    { 'x-forwarded-host': 'a b' },
    { 'x-forwarded-host': 'user@evil.example' },
    { 'x-forwarded-proto': 'javascript' },
    { 'x-forwarded-proto': 'gopher' },
  ])('what can not be the origin of a page is refused: %j', async headers => {
    expectProblem(await answerTo(api.port, shortenBytes(elsewhere, { ...forwarded, ...headers })), 400)
  })
})
