/** The page signs in with a key and gets a session. */
import type pg from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, startApi } from '../../support/hopcount.ts'
import { makeKey, revoke } from '../../support/keys.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { RawAnswer } from '../raw-http.ts'
import { answerTo, expectProblem, requestBytes } from '../requests.ts'

let pool: pg.Pool
let api: RunningApi
let secure: RunningApi

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  // Requests come from addresses of their own: sign-ins are limited.
  const env = { ACCESS: 'keys', TRUST_PROXY: '127.0.0.0/8' }
  api = await startApi({ databaseUrl: url, env })
  secure = await startApi({ databaseUrl: url, env: { ...env, PUBLIC_URL: 'https://hop.example' } })
})

let clients = 0

function send(
  { port }: RunningApi,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<RawAnswer> {
  const all = {
    'x-forwarded-for': `203.0.113.${++clients % 250}`,
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...headers,
  }
  return answerTo(port, requestBytes(method, path, all, body === undefined ? '' : JSON.stringify(body)))
}

const fromPage = { 'sec-fetch-site': 'same-origin', origin: 'http://hop.example' }

/** Returns the cookie as a browser sends it. */
async function signIn(key: string, to = api): Promise<string> {
  const answer = await send(to, 'POST', '/api/session', fromPage, { key })
  expect(answer.status).toBe(200)
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

async function sessionOf(cookie: string) {
  return JSON.parse((await send(api, 'GET', '/api/session', { cookie })).body)
}

test('a session allows what its key allows', async () => {
  const { key } = await makeKey(pool, ['links:write'], { name: 'Ada' })
  const cookie = await signIn(key)
  expect(await sessionOf(cookie)).toMatchObject({
    access: 'keys',
    short_origin: expect.stringMatching(/^http/),
    public_shorten: false,
    signed_in: true,
    name: 'Ada',
    scopes: ['links:write'],
    expires_at: expect.stringMatching(/Z$/),
  })
  expect((await send(api, 'GET', '/api/links', { cookie })).status).toBe(200)
  expectProblem(await send(api, 'GET', '/stats', { cookie }), 403)
  const link = { long_url: 'https://example.com/' }
  expect((await send(api, 'POST', '/shorten', { cookie, ...fromPage }, link)).status).toBe(201)
})

test('without one, nothing is allowed, and the page can tell', async () => {
  expect(await sessionOf('hopcount_session=nothing')).toEqual({
    access: 'keys',
    short_origin: expect.stringMatching(/^http/),
    public_shorten: false,
    signed_in: false,
    name: null,
    scopes: [],
    expires_at: null,
  })
})

test('scripts and other sites do not get the cookie, and over HTTPS it is sent nowhere else', async () => {
  const { key } = await makeKey(pool, ['admin'])
  const cookieFrom = async (to: RunningApi, headers = {}) =>
    (await send(to, 'POST', '/api/session', headers, { key })).headers.get('set-cookie')
  const flags = 'Path=/; Max-Age=43\\d{3}; HttpOnly; SameSite=Strict'
  expect(await cookieFrom(api)).toMatch(new RegExp(`^hopcount_session=[\\w-]{43}; ${flags}$`))
  const overHttps = new RegExp(`^__Host-hopcount_session=[\\w-]{43}; ${flags}; Secure$`)
  expect(await cookieFrom(secure)).toMatch(overHttps)
  expect(await cookieFrom(api, { 'x-forwarded-proto': 'https' })).toMatch(overHttps)
})

test.each([
  [{ 'sec-fetch-site': 'cross-site' }],
  [{ 'sec-fetch-site': 'same-site', origin: 'http://hop.example:8081' }],
  [{ 'sec-fetch-site': 'none' }],
  [{ origin: 'https://evil.example' }],
  [{ origin: 'http://hop.example:8081' }],
  [{ origin: 'null' }],
  [{}],
])('a change with the cookie but from elsewhere is refused: %j', async headers => {
  const { key } = await makeKey(pool, ['admin'])
  const cookie = await signIn(key)
  const link = { long_url: 'https://example.com/' }
  expectProblem(await send(api, 'POST', '/shorten', { cookie, ...headers }, link), 403)
  expectProblem(await send(api, 'DELETE', '/api/session', { cookie, ...headers }), 403)
  expect(await sessionOf(cookie)).toMatchObject({ signed_in: true })
})

test('where the browser sends no Sec-Fetch-Site, Origin is enough', async () => {
  const { key } = await makeKey(pool, ['admin'])
  const headers = { cookie: await signIn(key), origin: 'http://hop.example' }
  const link = { long_url: 'https://example.com/' }
  expect((await send(api, 'POST', '/shorten', headers, link)).status).toBe(201)
})

test('nobody is signed in by a page of another site', async () => {
  const { key } = await makeKey(pool, ['admin'])
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }])
    expectProblem(await send(api, 'POST', '/api/session', headers, { key }), 403)
})

describe('a session ends', () => {
  test('when somebody signs out', async () => {
    const cookie = await signIn((await makeKey(pool, ['admin'])).key)
    const answer = await send(api, 'DELETE', '/api/session', { cookie, ...fromPage })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('set-cookie')).toMatch(/^hopcount_session=; Path=\/; Max-Age=0; /)
    expectProblem(await send(api, 'GET', '/stats', { cookie }), 401)
    expect((await send(api, 'DELETE', '/api/session', fromPage)).status).toBe(204)
  })

  test('when its key is revoked', async () => {
    const { key, id } = await makeKey(pool, ['admin'])
    const cookie = await signIn(key)
    await revoke(pool, id)
    await waitUntil(async () => (await send(api, 'GET', '/stats', { cookie })).status === 401, {
      what: 'it has ended',
    })
  })

  test('when its time is over; using the page extends it, at most once an hour', async () => {
    const cookie = await signIn((await makeKey(pool, ['admin'])).key)
    const { expires_at: first } = await sessionOf(cookie)
    expect((await sessionOf(cookie)).expires_at).toBe(first)
    const move = async (interval: string) => {
      await pool.query(`UPDATE sessions SET expires_at = expires_at - $1::interval`, [interval])
      await pool.query(`NOTIFY hopcount_keys`)
    }
    await move('2 hours')
    const extended = await waitUntil(
      async () => {
        const answer = await send(api, 'GET', '/api/session', { cookie })
        return answer.headers.get('set-cookie') !== null && answer
      },
      { what: 'it is extended' },
    )
    expect(extended.headers.get('set-cookie')).toContain(`${cookie}; Path=/; Max-Age=4`)
    expect(Date.parse(JSON.parse(extended.body).expires_at)).toBeGreaterThanOrEqual(Date.parse(first))
    await move('13 hours')
    await waitUntil(async () => (await send(api, 'GET', '/stats', { cookie })).status === 401, {
      what: 'it has ended',
    })
  })
})

test('sign-ins of one address are limited, and all wrong keys get the same response', async () => {
  const expired = await makeKey(pool, ['admin'])
  await pool.query(`UPDATE keys SET expires_at = now() WHERE id = $1`, [expired.id])
  const revoked = await makeKey(pool, ['admin'])
  await revoke(pool, revoked.id)
  const headers = { 'x-forwarded-for': '198.51.100.1' }
  const keys = [expired.key, revoked.key, `hop_${'0'.repeat(43)}`, 'hop_', 'x']
  const details = new Set<string>()
  for (const key of [...keys, ...keys])
    details.add(JSON.stringify(expectProblem(await send(api, 'POST', '/api/session', headers, { key }), 401)))
  expect(details.size).toBe(1)
  expectProblem(await send(api, 'POST', '/api/session', headers, { key: 'x' }), 429)
})
