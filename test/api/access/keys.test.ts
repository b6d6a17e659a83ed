/** Keys: making, using and revoking them, and where they must never appear. */
import type pg from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../../apps/stack/processes/free-port.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, startApi } from '../../support/hopcount.ts'
import { makeKey } from '../../support/keys.ts'
import { startProcess } from '../../support/processes.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { RawAnswer } from '../raw-http.ts'
import { answerTo, expectProblem, requestBytes } from '../requests.ts'

let databaseUrl: string
let pool: pg.Pool
let api: RunningApi
let metricsPort: number
let admin: string

beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
  metricsPort = await freePort()
  const limits = { RATE_LIMIT_WRITES: '3', RATE_LIMIT_STATS: '5' }
  api = await startApi({
    databaseUrl,
    port: await freePort(),
    env: {
      ...limits,
      ACCESS: 'keys',
      PUBLIC_SHORTEN: 'true',
      LOG_LEVEL: 'trace',
      METRICS_PORT: String(metricsPort),
      WEB_CONCURRENCY: '2',
    },
  })
  admin = (await makeKey(pool, ['admin'], { requestsPerMinute: 0 })).key
})

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<RawAnswer> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const text = body === undefined ? '' : JSON.stringify(body)
  return answerTo(api.port, requestBytes(method, path, { ...type, ...headers }, text))
}

const link = { long_url: 'https://example.com/' }

describe('/api/keys', () => {
  test('creates a key that works at once, shows it once, lists and revokes it', async () => {
    const wanted = { name: ' Ada ', scopes: ['stats:read'], expires_at: '2090-01-01T00:00:00+01:00' }
    const created = await send('POST', '/api/keys', bearer(admin), wanted)
    expect([created.status, created.headers.get('cache-control')]).toEqual([201, 'no-store'])
    const { key, ...shown } = JSON.parse(created.body)
    expect(key).toMatch(/^hop_[0-9A-Za-z]{43}$/)
    expect(shown).toEqual({
      id: expect.any(Number),
      name: 'Ada',
      hint: key.slice(0, 8),
      scopes: ['stats:read'],
      requests_per_minute: null,
      created_at: expect.any(String),
      expires_at: '2089-12-31T23:00:00.000Z',
      revoked_at: null,
      state: 'active',
    })
    expect((await send('GET', '/stats', bearer(key))).status).toBe(200)
    expect((await send('GET', '/stats', { 'x-api-key': key })).status).toBe(200)
    expect((await send('GET', '/stats', { 'x-api-key': key, ...bearer(key) })).status).toBe(200)

    const list = async () => JSON.parse((await send('GET', '/api/keys', bearer(admin))).body)
    expect((await list())[0]).toEqual(shown)
    const path = `/api/keys/${shown.id}`
    for (let i = 0; i < 2; i++) expect((await send('DELETE', path, bearer(admin))).status).toBe(204)
    expect((await list())[0]).toMatchObject({ state: 'revoked', revoked_at: expect.any(String) })
    expectProblem(await send('DELETE', '/api/keys/999999', bearer(admin)), 404)

    const { rows } = await pool.query(`SELECT action, via FROM audit WHERE subject = 'Ada' ORDER BY id`)
    expect(rows).toEqual([
      { action: 'key.created', via: 'api' },
      { action: 'key.revoked', via: 'api' },
    ])
  })

  test.each([
    [{ name: '', scopes: ['admin'] }, 400],
    [{ name: 'a\u0000', scopes: ['admin'] }, 400],
    [{ name: ' ', scopes: ['admin'] }, 400],
    [{ name: '\ud800', scopes: ['admin'] }, 422],
    [{ name: 'a', scopes: [] }, 400],
    [{ name: 'a', scopes: ['everything'] }, 400],
    [{ name: 'a', scopes: ['admin'], requests_per_minute: -1 }, 400],
    [{ name: 'a', scopes: ['admin'], expires_at: '2020-01-01T00:00:00Z' }, 422],
  ])('refuses %j', async (body, status) => {
    expectProblem(await send('POST', '/api/keys', bearer(admin), body), status)
  })
})

test('two different keys in one request are refused', async () => {
  const { key } = await makeKey(pool, ['admin'])
  expectProblem(await send('GET', '/api/keys', { ...bearer(admin), 'x-api-key': key }), 400)
})

test('limits count per key, and a key may have its own for all its requests together', async () => {
  const usual = await makeKey(pool, ['admin'])
  const other = await makeKey(pool, ['admin'])
  const own = await makeKey(pool, ['admin'], { requestsPerMinute: 4 })
  const post = async (key: string) => (await send('POST', '/shorten', bearer(key), link)).status
  const get = async (key: string) => (await send('GET', '/stats', bearer(key))).status
  const inTurn = async (requests: (() => Promise<number>)[]) => {
    const statuses: number[] = []
    for (const request of requests) statuses.push(await request())
    return statuses
  }
  const four = (work: () => Promise<number>) => inTurn([work, work, work, work])
  // The two processes count for themselves without Redis, so one connection's worth is sent to each.
  const all = [...(await four(() => post(usual.key))), ...(await four(() => post(usual.key)))]
  expect(all.filter(status => status === 201).length).toBeLessThanOrEqual(6)
  expect(all).toContain(429)
  expect(await post(other.key)).toBe(201)
  const mixed = [
    ...(await four(() => post(own.key))),
    ...(await four(() => get(own.key))),
    ...(await four(() => post(own.key))),
  ]
  expect(mixed.filter(status => status !== 429).length).toBeLessThanOrEqual(8)
  expect(mixed.slice(0, 4)).toEqual([201, 201, 201, 201])
  const refused = await send('POST', '/shorten', bearer(own.key), link)
  if (refused.status === 429) expect(expectProblem(refused, 429).detail).toContain('with this key')
})

test('PUBLIC_SHORTEN lets anybody create links, and nothing else', async () => {
  const { key } = await makeKey(pool, ['stats:read'])
  expect((await send('POST', '/shorten', {}, link)).status).toBe(201)
  expect((await send('POST', '/shorten', bearer(key), link)).status).toBe(201)
  expectProblem(await send('POST', '/shorten', bearer(`hop_${'0'.repeat(43)}`), link), 401)
  for (const path of ['/stats', '/api/links', '/api/keys']) expectProblem(await send('GET', path), 401)
})

test('METRICS_PORT serves the metrics of all processes, and PORT none', async () => {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`)
  expect(response.status).toBe(200)
  expect(await response.text()).toContain('hopcount_visits_kept_total')
  expect((await fetch(`http://127.0.0.1:${metricsPort}/stats`)).status).toBe(404)
  expectProblem(await send('GET', '/metrics', bearer(admin)), 404)
})

test('keys are accepted nowhere but in their headers, and appear in no response, log, metric or table', async () => {
  const { key } = await makeKey(pool, ['admin'], { requestsPerMinute: 0 })
  const answers = await Promise.all([
    send('GET', `/stats?key=${key}`),
    send('GET', `/stats?access_token=${key}`),
    send('GET', `/stats?api_key=${key}`, bearer('wrong')),
    send('GET', '/stats', { authorization: key }),
    send('GET', '/stats', { authorization: `Basic ${key}` }),
    send('GET', '/stats', { authorization: `Bearer ${key} ${key}` }),
    send('GET', '/stats', { authorization: `Bearer ${key}, Bearer ${key}` }),
    send('GET', '/stats', { cookie: `hopcount_session=${key}` }),
    send('GET', '/stats', { 'x-api-key': `${key},${key}` }),
  ])
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401))
  answers.push(
    await send('GET', `/${key}`),
    await send('GET', `/${key}.`),
    await send('GET', `/stats/${key}`, bearer(key)),
    await send('GET', `/api/keys/${key}`, bearer(key)),
    await send('DELETE', `/api/keys/${key}`, bearer(key)),
    await send('GET', '/stats', { ...bearer(key), 'x-api-key': 'other' }),
    await send('GET', '/stats?limit=none', bearer(key)),
    await send('POST', '/shorten', { ...bearer(key), 'idempotency-key': key }, link),
    await send('POST', '/api/session', {}, { key }),
    await send('POST', '/api/session', {}, { key: [key] }),
    await send('GET', '/api/session', bearer(key)),
    await send('GET', '/api/keys', bearer(key)),
    await send('GET', '/api/audit', bearer(key)),
  )
  for (const { status, body, headers } of answers)
    expect({ status, hasKey: `${body}${JSON.stringify([...headers])}`.includes(key) }).toEqual({
      status,
      hasKey: false,
    })
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  expect(metrics).not.toContain(key)
  expect(api.process.output()).not.toContain(key)
  // Requests for unknown slugs are written with a delay: the later one shows that the earlier one was left out.
  await send('GET', '/no-key')
  await waitUntil(
    async () => (await pool.query(`SELECT FROM orphan_visits WHERE slug = 'no-key'`)).rowCount === 1,
    { what: 'requests for unknown slugs are written' },
  )
  for (const table of ['keys', 'sessions', 'audit', 'idempotency_keys', 'links', 'orphan_visits']) {
    const { rows } = await pool.query(`SELECT * FROM ${table}`)
    expect({ table, hasKey: JSON.stringify(rows).includes(key) }).toEqual({ table, hasKey: false })
  }
})

describe('npm run keys', () => {
  async function keys(...args: string[]) {
    const command = startProcess({
      script: 'apps/api/keys-command.ts',
      args,
      env: { DATABASE_URL: databaseUrl },
    })
    const { code } = await command.exited
    return { code, stderr: command.stderr(), stdout: command.output().replace(command.stderr(), '') }
  }

  test('creates, lists and revokes', async () => {
    const created = await keys('create', 'Operator', '--scopes', 'links:read,stats:read', '--expires', '90d')
    expect(created.code).toBe(0)
    const key = /hop_[0-9A-Za-z]{43}/.exec(created.stdout)?.[0] ?? ''
    expect((await send('GET', '/api/links', bearer(key))).status).toBe(200)
    const listed = await keys('list')
    expect(listed.stdout).toMatch(
      /^\d+ {2}Operator {2}hop_\w{4}… {2}active {2}links:read,stats:read {2}created /m,
    )
    expect(listed.stdout).not.toContain(key)
    const id = /^(\d+) {2}Operator/m.exec(listed.stdout)?.[1] ?? ''
    expect(await keys('revoke', id)).toMatchObject({ code: 0 })
    await waitUntil(async () => (await send('GET', '/api/links', bearer(key))).status === 401, {
      what: 'it is refused',
    })
    const { rows } = await pool.query(`SELECT action, via FROM audit WHERE subject = 'Operator' ORDER BY id`)
    expect(rows).toEqual([
      { action: 'key.created', via: 'command' },
      { action: 'key.revoked', via: 'command' },
    ])
  })

  test('says in one line what is wrong', async () => {
    for (const [args, line] of [
      [['create'], /^hopcount keys: usage: /],
      [['create', 'a', '--scopes', 'all'], /^hopcount keys: --scopes must list some of links:read/],
      [['create', 'a', '--expires', 'soon'], /^hopcount keys: --expires must be/],
      [['revoke', '999999'], /^hopcount keys: there is no key 999999/],
    ] as const) {
      const { code, stderr } = await keys(...args)
      expect({ code, lines: stderr.trimEnd().split('\n') }).toEqual({
        code: 1,
        lines: [expect.stringMatching(line)],
      })
    }
  })
})
