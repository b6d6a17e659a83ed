/** Every route, with every kind of key: who gets in, and that nothing is open by accident. */
import { beforeAll, expect, test } from 'vitest'
import type { Scope } from '../../../apps/api/access/actor.ts'
import { allows, scopes } from '../../../apps/api/access/actor.ts'
import { guardRoutes } from '../../../apps/api/access/route-rules.ts'
import { createSessionCookie } from '../../../apps/api/access/session-cookie.ts'
import { createClientAddresses } from '../../../apps/api/client-addresses.ts'
import { createVisitorPages } from '../../../apps/api/errors/visitor-pages.ts'
import { createHttpServer } from '../../../apps/api/http-server.ts'
import { readConfiguration } from '../../../apps/shared/configuration/configuration.ts'
import { openLog } from '../../../apps/shared/log.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, startApi } from '../../support/hopcount.ts'
import { makeKey, revoke } from '../../support/keys.ts'
import { createTestDatabase } from '../../support/test-database.ts'

/**
 * The rule of each route. One that is missing here fails the test. Files of the page, and methods that an address does not
 * support, are open: the latter are 405 for everybody.
 */
const rules: Record<string, 'open' | Scope> = {
  'GET /:slug': 'open',
  'HEAD /:slug': 'open',
  'GET /healthz': 'open',
  'HEAD /healthz': 'open',
  'GET /readyz': 'open',
  'HEAD /readyz': 'open',
  'GET /openapi.json': 'open',
  'GET /docs': 'open',
  'GET /docs/reference.css': 'open',
  'GET /api/session': 'open',
  'POST /api/session': 'open',
  'DELETE /api/session': 'open',
  'POST /shorten': 'links:write',
  'GET /api/links': 'links:read',
  'POST /api/links': 'links:write',
  'GET /api/links/:slug': 'links:read',
  'GET /api/links/export': 'links:read',
  'PATCH /api/links/:slug': 'links:write',
  'DELETE /api/links/:slug': 'links:write',
  'GET /stats': 'stats:read',
  'GET /stats/live': 'stats:read',
  'GET /stats/orphans': 'stats:read',
  'GET /stats/overall': 'stats:read',
  'GET /stats/overall/breakdowns': 'stats:read',
  'GET /stats/overall/export': 'stats:read',
  'GET /stats/overall/filtered': 'stats:read',
  'GET /stats/overall/visits': 'stats:read',
  'GET /stats/:slug': 'stats:read',
  'GET /stats/:slug/breakdowns': 'stats:read',
  'GET /stats/:slug/export': 'stats:read',
  'GET /stats/:slug/filtered': 'stats:read',
  'GET /stats/:slug/live': 'stats:read',
  'GET /stats/:slug/visits': 'stats:read',
  'POST /api/links/bulk': 'links:write',
  'PATCH /api/links/bulk': 'links:write',
  'DELETE /api/links/bulk': 'links:write',
  'GET /api/links/:slug/history': 'links:read',
  'GET /api/tags': 'links:read',
  'GET /metrics': 'admin',
  'GET /api/audit': 'admin',
  'GET /api/keys': 'admin',
  'POST /api/keys': 'admin',
  'DELETE /api/keys/:id': 'admin',
}
const isPage = (route: string) =>
  /^(GET|HEAD) \/(index\.html|assets\/.*|[\w.-]+\.(svg|png|ico|txt))?$/.test(route)

let api: RunningApi
let found: Record<string, string>
const valid = new Map<Scope, string>()
const invalid = new Map<string, string | undefined>([
  ['no key', undefined],
  ['an unknown key', `hop_${'a'.repeat(43)}`],
  ['no key at all', 'secret'],
])

beforeAll(async () => {
  const { url } = await createTestDatabase()
  const pool = openPool(url)
  for (const scope of scopes) valid.set(scope, (await makeKey(pool, [scope])).key)
  const expired = await makeKey(pool, ['admin'])
  await pool.query(`UPDATE keys SET expires_at = now() - interval '1 second' WHERE id = $1`, [expired.id])
  const revoked = await makeKey(pool, ['admin'])
  await revoke(pool, revoked.id)
  invalid.set('an expired key', expired.key).set('a revoked key', revoked.key)
  api = await startApi({
    databaseUrl: url,
    env: { ACCESS: 'keys', LOG_LEVEL: 'debug', RATE_LIMIT_WRITES: '0', RATE_LIMIT_STATS: '0' },
  })
  const line = await api.process.waitForLine(/routes, and what they need/)
  found = JSON.parse(line).rules
})

/** Bodies and parameters are checked after the key: where it is enough, nothing is created and nothing exists. */
async function statusWith(route: string, key?: string): Promise<number> {
  const [method = '', path = ''] = route.split(' ')
  const url = `${api.origin}${path.replace(':slug', 'unknown').replace(':id', '999999')}`
  const stop = new AbortController()
  const response = await fetch(url, {
    method,
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    redirect: 'manual',
    signal: stop.signal,
  })
  if (response.status === 401) expect(response.headers.get('www-authenticate')).toBe('Bearer')
  if (response.status >= 400 && method !== 'HEAD' && path !== '/:slug')
    expect(response.headers.get('content-type')).toContain('application/problem+json')
  // Live counts do not end by themselves.
  stop.abort()
  return response.status
}

test('every route has the rule that is expected here', () => {
  const methods = new Set(Object.keys(rules).map(route => route.split(' ')[0] ?? ''))
  const served = Object.entries(found).filter(([route]) => !is405(route) && !isPage(route))
  expect(methods.size).toBeGreaterThan(3)
  expect(Object.fromEntries(served)).toEqual(rules)
  for (const [route, access] of Object.entries(found)) if (isPage(route)) expect(access).toBe('open')

  /** Where an address has another method, the rest of the methods are refused. */
  function is405(route: string): boolean {
    const [, path = ''] = route.split(' ')
    const isServed = route in rules || isPage(route)
    return (
      !isServed &&
      found[route] === 'open' &&
      Object.keys(found).some(other => other !== route && other.endsWith(` ${path}`))
    )
  }
})

test.each(['open', 'keys'] as const)('with ACCESS=%s, a route without a rule fails the start', access => {
  const log = openLog({ name: 'test', level: 'silent' })
  const configuration = readConfiguration({ DATABASE_URL: 'postgres://127.0.0.1/none' })
  const pages = createVisitorPages({ name: undefined, url: undefined })
  const app = createHttpServer(configuration, createClientAddresses(undefined, log), pages, log)
  const nothing = async () => ({ key: () => undefined, session: () => undefined })
  guardRoutes(app, {
    access,
    publicShorten: false,
    hostCheck: () => undefined,
    ownHosts: new Set(),
    store: { trusted: () => undefined, settled: nothing, read: nothing, changed: () => {} },
    cookie: createSessionCookie(undefined),
  })
  expect(() => app.get('/new', () => '')).toThrow('GET /new has no rule')
  expect(() => app.get('/other', { config: { access: 'admin' } }, () => '')).not.toThrow()
})

const needsKey = Object.entries(rules).filter(([, access]) => access !== 'open') as [string, Scope][]

test.each(needsKey)('%s needs a key with %s', async (route, needed) => {
  for (const [name, key] of invalid)
    expect({ name, status: await statusWith(route, key) }).toEqual({ name, status: 401 })
  for (const [scope, key] of valid) {
    const status = await statusWith(route, key)
    const isAllowed = allows({ scopes: new Set([scope]) }, needed)
    if (isAllowed)
      expect({ scope, isRefused: [401, 403].includes(status) }).toEqual({ scope, isRefused: false })
    else expect({ scope, status }).toEqual({ scope, status: 403 })
  }
})

test.each(Object.keys(rules).filter(route => rules[route] === 'open'))(
  '%s is open, whatever is sent',
  async route => {
    for (const key of [...invalid.values(), ...valid.values()]) {
      const status = await statusWith(route, key)
      expect([401, 403]).not.toContain(status)
    }
  },
)

test('a method that an address does not support is refused to everybody alike', async () => {
  for (const route of [
    'OPTIONS /stats',
    'HEAD /stats',
    'PUT /api/keys',
    'DELETE /shorten',
    'OPTIONS /api/keys',
  ]) {
    expect(await statusWith(route)).toBe(405)
    expect(await statusWith(route, valid.get('admin'))).toBe(405)
  }
})

test('the OpenAPI document says what each operation needs', async () => {
  const { paths } = (await (await fetch(`${api.origin}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { security?: Record<string, string[]>[]; responses: object }>>
  }
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { security, responses }] of Object.entries(operations)) {
      const needed = rules[`${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`]
      const expected =
        needed === 'open' ? undefined : ['bearer', 'key', 'session'].map(way => ({ [way]: [needed] }))
      expect({ path, method, security }).toEqual({ path, method, security: expected })
      if (needed !== 'open') expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '403']))
    }
  }
})
