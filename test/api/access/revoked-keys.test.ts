/** A key that is revoked or expired is refused by every process within a second, also by one that hears of nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, startApi } from '../../support/hopcount.ts'
import { makeKey, revoke } from '../../support/keys.ts'
import type { TcpProxy } from '../../support/tcp-proxy.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

const promisedMs = 1_000

let pool: pg.Pool
let hearing: RunningApi
/** Its listening connection leads through `notices`, everything else through `queries`. */
let deaf: RunningApi
let notices: TcpProxy
let queries: TcpProxy

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  const port = Number(new URL(url).port)
  notices = await startTcpProxy({ port })
  queries = await startTcpProxy({ port })
  const through = (proxy: TcpProxy) => Object.assign(new URL(url), { port: String(proxy.port) }).href
  const env = { ACCESS: 'keys', RATE_LIMIT_STATS: '0' }
  const spoolDir = temporaryFolder()
  hearing = await startApi({ databaseUrl: url, spoolDir, env })
  deaf = await startApi({
    databaseUrl: through(queries),
    spoolDir,
    env: { ...env, DIRECT_DATABASE_URL: through(notices) },
  })
})

async function statusWith(api: RunningApi, key: string): Promise<number> {
  const response = await fetch(`${api.origin}/api/keys`, { headers: { authorization: `Bearer ${key}` } })
  await response.arrayBuffer()
  return response.status
}

/** Uses the key until it is revoked and for a while longer; every request that begins a second later must be refused. */
async function revokeWhileUsed(): Promise<void> {
  const { key, id } = await makeKey(pool, ['admin'])
  const apis = [hearing, deaf]
  for (const api of apis)
    await waitUntil(async () => (await statusWith(api, key)) === 200, { what: 'the key is known' })
  await revoke(pool, id)
  const revokedAt = performance.now()
  const late: number[] = []
  while (performance.now() < revokedAt + promisedMs + 500) {
    const began = performance.now()
    const statuses = await Promise.all(apis.map(api => statusWith(api, key)))
    if (began > revokedAt + promisedMs) late.push(...statuses)
    await sleep(20)
  }
  expect(late.length).toBeGreaterThan(0)
  expect([...new Set(late)]).toEqual([401])
}

test('by processes that hear of it', revokeWhileUsed)

test('by a process whose listening connection is cut', async () => {
  notices.setMode('reset')
  await revokeWhileUsed()
  notices.setMode('pass')
})

test('by a process whose listening connection is silent', async () => {
  notices.setMode('black-hole')
  await revokeWhileUsed()
  notices.setMode('reset')
  notices.setMode('pass')
})

test('a key that expires is refused from then on, without anybody having to say so', async () => {
  const expiresAt = new Date(Date.now() + 2_000)
  const { key } = await makeKey(pool, ['admin'], { expiresAt })
  expect(await statusWith(hearing, key)).toBe(200)
  await waitUntil(() => Date.now() > expiresAt.getTime(), { what: 'it has expired' })
  expect([await statusWith(hearing, key), await statusWith(deaf, key)]).toEqual([401, 401])
})

test('live counts end when their key is revoked', async () => {
  const { key, id } = await makeKey(pool, ['stats:read'])
  const response = await fetch(`${hearing.origin}/stats/live`, {
    headers: { authorization: `Bearer ${key}` },
  })
  expect(response.status).toBe(200)
  const ended = response.text().then(
    () => 'ended',
    () => 'ended',
  )
  await revoke(pool, id)
  expect(await ended).toBe('ended')
})

test('checking a key costs no query', async () => {
  const { key } = await makeKey(pool, ['links:read'])
  expect(await statusWith(hearing, key)).toBe(403)
  // Whatever reads keys from now on waits for this lock.
  const client = await pool.connect()
  await client.query('BEGIN; LOCK TABLE keys IN ACCESS EXCLUSIVE MODE')
  for (let i = 0; i < 50; i++) {
    expect(await statusWith(hearing, key)).toBe(403)
    if (i % 10 === 0) expect(await statusWith(hearing, `hop_${String(i).padStart(43, '0')}`)).toBe(401)
  }
  await client.query('ROLLBACK')
  client.release()
})

describe('while the database can not be read', () => {
  test('nobody is let in who may have lost a key: 503', async () => {
    // Without the scope that the route needs: what it would read itself from the database is never reached.
    const { key } = await makeKey(pool, ['stats:read'])
    expect(await statusWith(deaf, key)).toBe(403)
    for (const proxy of [notices, queries]) proxy.setMode('reset')
    const lastAt = performance.now()
    await waitUntil(() => performance.now() > lastAt + promisedMs, { what: 'a second has passed' })
    expect(await statusWith(deaf, key)).toBe(503)
    expect(await statusWith(deaf, 'wrong')).toBe(401)
    for (const proxy of [notices, queries]) proxy.setMode('pass')
    await waitUntil(async () => (await statusWith(deaf, key)) === 403, { what: 'it is known again' })
  })
})
