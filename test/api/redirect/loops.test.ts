/** Links that lead back to the service, however that is reached: refused, or 508 and never counted. */
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningApi } from '../../support/hopcount.ts'
import { linkStats, openPool, shorten, startApi, startWorker, waitForVisits } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { answerTo, expectProblem, requestBytes, shortenBytes } from '../requests.ts'

let databaseUrl: string
let api: RunningApi
let pool: Pool

beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
  api = await startApi({
    databaseUrl,
    env: { ALLOW_PRIVATE_TARGETS: 'true', OWN_HOSTS: 'second.example, Third.example.:8443' },
  })
  await startWorker({ databaseUrl })
})

/** A link that was stored before the service knew its hosts. */
async function storedLink(longUrl: string): Promise<string> {
  const slug = `stored-${++links}`
  await pool.query('INSERT INTO links (slug, long_url) VALUES ($1, $2)', [slug, longUrl])
  return slug
}
let links = 0

describe('a new link to the service is refused', () => {
  test.each([
    ['its real address', () => `http://127.0.0.1:${api.port}/loop`],
    ['its real address by name', () => `http://localhost:${api.port}/loop`],
    ['another spelling of its address', () => `http://127.1:${api.port}/loop`],
    ['one of OWN_HOSTS', () => 'https://second.example/loop'],
    ['one of OWN_HOSTS over http', () => 'http://second.example/loop'],
    ['one of OWN_HOSTS with its port', () => 'https://third.example:8443/loop'],
    ['the host of the request', () => 'http://foreign.internal/loop'],
  ])('%s', async (_, longUrl) => {
    const bytes = shortenBytes({ long_url: longUrl(), slug: 'loop' }, { host: 'foreign.internal' })
    const { errors } = expectProblem(await answerTo(api.port, bytes), 422)
    expect(errors?.[0]?.pointer).toBe('#/long_url')
  })

  test.each(['https://second.example:8443/', 'https://third.example/', 'https://www.second.example/'])(
    'another service is not: %s',
    async longUrl => {
      await shorten(api.origin, { long_url: longUrl })
    },
  )

  test('another port of PUBLIC_URL is not', async () => {
    const other = await startApi({ databaseUrl, env: { PUBLIC_URL: 'https://go.example' } })
    const slug = await shorten(other.origin, { long_url: 'https://go.example:8443/app' })
    const response = await fetch(`${other.origin}/${slug}`, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([307, 'https://go.example:8443/app'])
    await other.process.stop()
  })
})

describe('a stored link that leads back is 508, and uncounted', () => {
  test.each([
    ['the host of the request', 'https://seen.example/x', 'seen.example'],
    ['with another scheme', 'http://seen.example/x', 'seen.example'],
    ['with a port', 'http://seen.example:8080/x', 'seen.example:8080'],
    ['with the default port', 'http://seen.example/x', 'seen.example:80'],
    ['with an empty port', 'http://seen.example/x', 'seen.example:'],
    ['in capitals', 'http://seen.example/x', 'SEEN.example'],
    ['with a final dot in the target', 'http://seen.example./x', 'seen.example'],
    ['with a final dot in the request', 'http://seen.example/x', 'seen.example.'],
    ['with a query', 'http://seen.example/x?y=z', 'seen.example'],
    ['with a fragment', 'http://seen.example/x#y', 'seen.example'],
    ['as a damaged link', 'http://seen.example/x).', 'seen.example'],
    ['with a slash', 'http://seen.example/x/', 'seen.example'],
    ['with an invisible character', 'http://seen.example/x%E2%80%8B', 'seen.example'],
    ['with an invisible character inside', 'http://seen.example/x%E2%80%8By', 'seen.example'],
    ['cut off within an encoding', 'http://seen.example/x%E2%80', 'seen.example'],
    ['encoded from Latin-1', 'http://seen.example/x%A0', 'seen.example'],
    ['with two slashes', 'http://seen.example//x', 'seen.example'],
    ['one of OWN_HOSTS', 'https://second.example/x', 'seen.example'],
    ['an IPv6 address', 'http://[2606:4700:4700::1111]:8080/x', '[2606:4700:4700::1111]:8080'],
  ])('%s', async (_, longUrl, host) => {
    const slug = await storedLink(longUrl)
    // From the database, and from the cache.
    for (let i = 0; i < 2; i++)
      expectProblem(await answerTo(api.port, requestBytes('GET', `/${slug}`, { host })), 508)
    expect((await answerTo(api.port, requestBytes('HEAD', `/${slug}`, { host }))).status).toBe(508)
    const page = await answerTo(api.port, requestBytes('GET', `/${slug}`, { host, accept: 'text/html' }))
    expect([page.status, page.headers.get('content-type')]).toEqual([508, 'text/html; charset=utf-8'])
    // Visits are recorded in their order: when this one is counted, the others would be.
    const other = await shorten(api.origin)
    await answerTo(api.port, requestBytes('GET', `/${other}`))
    await waitForVisits(api.origin, other, 1)
    expect((await linkStats(api.origin, slug)).visits).toBe(0)
  })

  test('to the address at which the process listens, whatever Host a request names', async () => {
    const slug = await storedLink(`http://127.0.0.1:${api.port}/${'x'}`)
    expectProblem(
      await answerTo(api.port, requestBytes('GET', `/${slug}`, { host: 'foreign.internal' })),
      508,
    )
  })

  test('so following it ends', async () => {
    const slug = await storedLink('https://placeholder.example/')
    await pool.query('UPDATE links SET long_url = $1 WHERE slug = $2', [`${api.origin}/${slug}`, slug])
    const response = await fetch(`${api.origin}/${slug}`)
    expect([response.status, response.redirected]).toEqual([508, false])
  })
})

describe('what ends at the service or leads elsewhere is no loop', () => {
  test.each([
    ['a page of the service', 'http://seen.example/docs', 'seen.example'],
    ['its first page', 'http://seen.example/', 'seen.example'],
    ['a path that is no slug', 'http://seen.example/a/b', 'seen.example'],
    ['a file', 'http://seen.example/a.html', 'seen.example'],
    ['another port', 'http://seen.example:8443/x', 'seen.example'],
    ['a text that is no URL', 'http://a%zz.example/x', 'a%zz.example'],
    ['another host', 'http://www.seen.example/x', 'seen.example'],
  ])('%s', async (_, longUrl, host) => {
    const slug = await storedLink(longUrl)
    const answer = await answerTo(api.port, requestBytes('GET', `/${slug}`, { host }))
    expect([answer.status, answer.headers.get('location')]).toEqual([307, longUrl])
  })
})
