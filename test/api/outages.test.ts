/** What visitors and clients see while PostgreSQL is down, and when a link has expired. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningApi } from '../support/hopcount.ts'
import { linkStats, shorten, startApi, visit } from '../support/hopcount.ts'
import type { TestPostgres } from '../support/postgres.ts'
import { startPostgres } from '../support/postgres.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'
import { answerTo, expectProblem, requestBytes, shortenBytes } from './requests.ts'

describe('while PostgreSQL is down', () => {
  let postgres: TestPostgres
  let api: RunningApi
  let cached: string
  let stored: string
  beforeAll(async () => {
    postgres = await startPostgres()
    api = await startApi({ databaseUrl: postgres.url })
    cached = await shorten(api.origin, { long_url: 'https://example.com/cached' })
    stored = await shorten(api.origin, { long_url: 'https://example.com/stored' })
    await visit(api.origin, cached)
    await postgres.kill9()
  })

  test('a link that was followed before still redirects', async () => {
    for (let i = 0; i < 20; i++) expect(await visit(api.origin, cached)).toBe('https://example.com/cached')
  })

  test.each(['GET', 'HEAD'])('%s of a slug in no cache is 503, never 404', async method => {
    for (const slug of [stored, 'unknown']) {
      const answer = await answerTo(api.port, requestBytes(method, `/${slug}`))
      expect(answer.status).toBe(503)
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
      if (method === 'GET') expectProblem(answer, 503)
    }
  })

  test('an impossible slug is 404 without a query', async () => {
    expectProblem(await answerTo(api.port, requestBytes('GET', '/a.b')), 404)
  })

  test.each([
    ['the top list', requestBytes('GET', '/stats?limit=3')],
    ['the statistics of a link', requestBytes('GET', '/stats/abc')],
    ['a new link', shortenBytes({ long_url: 'https://example.com/' })],
    ['a link to reuse', shortenBytes({ long_url: 'https://example.com/', reuse: true })],
  ])('%s is 503 with Retry-After', async (_, bytes) => {
    const answer = await answerTo(api.port, bytes)
    expectProblem(answer, 503)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  })

  test('invalid input is distinguished from the outage', async () => {
    expectProblem(await answerTo(api.port, shortenBytes({ long_url: 'javascript:alert(1)' })), 422)
    for (const limit of ['1e9', '1e999', '-1e999'])
      expectProblem(await answerTo(api.port, requestBytes('GET', `/stats?limit=${limit}`)), 400)
  })

  test('the process is still ready, and reports what is down', async () => {
    const answer = await fetch(`${api.origin}/readyz`)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ status: 'ready', database: 'down', warnings: [] })
  })

  test('the outage is logged when it begins, not for every request', async () => {
    await api.process.waitForLine(/request failed/)
    const lines = api.process.output().trimEnd().split('\n')
    expect(lines.filter(line => JSON.parse(line).msg === 'request failed')).toHaveLength(1)
    expect(lines.length).toBeLessThan(15)
  })

  test('everything works again once PostgreSQL does', async () => {
    await postgres.restart()
    await waitUntil(async () => (await visit(api.origin, stored)) === 'https://example.com/stored', {
      what: 'the stored link redirects',
    })
    const slug = await waitUntil(() => shorten(api.origin), { what: 'links are made' })
    await visit(api.origin, slug)
    expectProblem(await answerTo(api.port, requestBytes('GET', '/unknown')), 404)
  }, 90_000)
})

test('a link redirects until its expiry and is 410 from then on, in every process', async () => {
  const databaseUrl = (await createTestDatabase()).url
  const [api, other] = await Promise.all([startApi({ databaseUrl }), startApi({ databaseUrl })])
  const expiresAt = Date.now() + 4_000
  const slug = await shorten(api.origin, { expires_at: new Date(expiresAt).toISOString() })
  for (const { port } of [api, other]) {
    const sentAt = Date.now()
    const answer = await answerTo(port, requestBytes('GET', `/${slug}`))
    if (sentAt < expiresAt && Date.now() < expiresAt) expect(answer.status).toBe(307)
  }

  // A timer may be a millisecond early.
  await sleep(expiresAt - Date.now() + 2)
  for (const { port } of [api, other]) {
    expectProblem(await answerTo(port, requestBytes('GET', `/${slug}`)), 410)
    expect((await answerTo(port, requestBytes('HEAD', `/${slug}`))).status).toBe(410)
  }
  expect((await linkStats(api.origin, slug)).slug).toBe(slug)
  const again = await answerTo(api.port, shortenBytes({ long_url: 'https://example.com/', slug }))
  expectProblem(again, 409)
})
