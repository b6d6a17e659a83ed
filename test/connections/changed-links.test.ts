/**
 * A link that was changed is not followed to its former target later than a second after the change was confirmed, in any
 * process, whatever was away meanwhile. Each `process` here has the caches and the connections of an API process.
 */
import { Redis } from 'ioredis'
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { createLinkChanger } from '../../apps/api/links/change-links.ts'
import { openLinkCache } from '../../apps/api/redirect/lookup/link-cache.ts'
import type { OpenResolver } from '../../apps/api/redirect/lookup/open-resolver.ts'
import { openResolver } from '../../apps/api/redirect/lookup/open-resolver.ts'
import type { DatabaseWatch } from '../../apps/api/watch-database.ts'
import { watchDatabase } from '../../apps/api/watch-database.ts'
import { openLog } from '../../apps/shared/log.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import { openPool } from '../support/hopcount.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

const log = openLog({ name: 'test', level: 'silent' })
const former = 'https://example.com/former'
const next = 'https://example.com/next'

let databaseUrl: string
let watch: DatabaseWatch

beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  watch = await watchDatabase(openPool(databaseUrl), log)
  cleanUpLater(watch.close)
})

interface ProcessOptions {
  databaseUrl?: string
  cacheUrl?: string | undefined
  /** Of the listening connection, where it has a way of its own. */
  directUrl?: string
  pool?: Pool
  maxOutageMs?: number
}

async function openProcess(options: ProcessOptions) {
  const { databaseUrl: url = databaseUrl, directUrl = url, cacheUrl, maxOutageMs = 60_000 } = options
  const pool = options.pool ?? openPool(url)
  const parts = openResolver({
    pool,
    watch,
    databaseUrl: directUrl,
    cacheUrl,
    maxLinks: 1_000,
    maxOutageMs,
    log,
  })
  cleanUpLater(parts.close)
  return { ...parts, targetOf: (slug: string) => targetOf(parts, slug) }
}

async function openCurrentProcess(options: ProcessOptions) {
  const parts = await openProcess(options)
  await waitUntil(parts.changes.isCurrent, { what: 'the process is current' })
  return parts
}

async function targetOf({ resolver }: OpenResolver, slug: string): Promise<string | undefined> {
  return (resolver.cached(slug) ?? (await resolver.resolve(slug)))?.longUrl
}

let links = 0
async function newLink(pool: Pool): Promise<string> {
  const slug = `link-${++links}`
  await pool.query('INSERT INTO links (slug, long_url) VALUES ($1, $2)', [slug, former])
  return slug
}

function change({ changeLinks }: Pick<OpenResolver, 'changeLinks'>, slug: string): Promise<unknown> {
  return changeLinks([slug], client =>
    client.query('UPDATE links SET long_url = $2 WHERE slug = $1', [slug, next]),
  )
}

async function aSecondLater(): Promise<void> {
  const confirmedAt = performance.now()
  await waitUntil(() => performance.now() > confirmedAt + 1_000, { what: 'a second has passed' })
}

async function through(url: string) {
  const address = new URL(url)
  const proxy = await startTcpProxy({ port: Number(address.port) })
  address.port = String(proxy.port)
  return { proxy, url: address.href }
}

/** A pool whose responses to lookups are held back once they have left PostgreSQL, each until `release` is called for it. */
function holdLookups(pool: Pool) {
  const held = { count: 0, release: () => {} }
  const query = pool.query.bind(pool)
  const holding = Object.create(pool) as Pool
  holding.query = (async (statement: { name?: string }, ...rest: unknown[]) => {
    const result = await Reflect.apply(query, pool, [statement, ...rest])
    if (statement.name !== 'find-links') return result
    await new Promise<void>(resolve => {
      held.release = resolve
      held.count++
    })
    return result
  }) as Pool['query']
  return { held, pool: holding }
}

describe.skipIf(!redisAvailable())('with L2', () => {
  test('a change reaches the L1 of each process, and L2', async () => {
    const { url: cacheUrl } = await startRedis()
    const [one, other] = await Promise.all([
      openCurrentProcess({ cacheUrl }),
      openCurrentProcess({ cacheUrl }),
    ])
    const slug = await newLink(openPool(databaseUrl))
    for (const { targetOf } of [one, other]) expect(await targetOf(slug)).toBe(former)
    await change(one, slug)
    expect(await one.targetOf(slug)).toBe(next)
    await waitUntil(async () => (await other.targetOf(slug)) === next, { what: 'the other process knows it' })
    const late = await openCurrentProcess({ cacheUrl })
    expect(await late.targetOf(slug)).toBe(next)
  })

  test('a lookup that began before the change returns the new target, and caches no other', async () => {
    const { url: cacheUrl } = await startRedis()
    const { held, pool } = holdLookups(openPool(databaseUrl))
    const slow = await openCurrentProcess({ cacheUrl, pool })
    const other = await openCurrentProcess({ cacheUrl })
    const slug = await newLink(openPool(databaseUrl))
    const target = slow.targetOf(slug)
    await waitUntil(() => held.count === 1, { what: 'the former target was read' })
    await change(other, slug)
    await slow.changes.catchUp()
    held.release()
    await waitUntil(() => held.count === 2, { what: 'it looks again' })
    expect(slow.resolver.cached(slug)).toBeUndefined()
    held.release()
    expect(await target).toBe(next)
    expect(await slow.targetOf(slug)).toBe(next)
    const late = await openCurrentProcess({ cacheUrl })
    expect(await late.targetOf(slug)).toBe(next)
  })

  test('what was read before a change can not be put into L2 after it', async () => {
    const { url: cacheUrl } = await startRedis()
    const name = { epoch: 'one', generation: 7 }
    const [slow, other] = [openLinkCache(cacheUrl, log), openLinkCache(cacheUrl, log)]
    cleanUpLater(() => {
      for (const cache of [slow, other]) cache.close()
    })
    const link = { id: 1, longUrl: former, expiresAt: undefined, targetHost: undefined, rules: undefined }
    for (const cache of [slow, other]) cache.enter(name)
    await waitUntil(
      async () => {
        slow.set('before', link)
        return (await other.get('before')) !== undefined
      },
      { what: 'both are connected' },
    )
    expect(await other.block(['before', 'after'], name)).toBe(true)
    for (const slug of ['before', 'after']) slow.set(slug, link)
    // Written after those two.
    slow.set('unrelated', link)
    await waitUntil(async () => (await other.get('unrelated')) !== undefined, { what: 'all is written' })
    expect(await Promise.all(['before', 'after'].map(other.get))).toEqual([undefined, undefined])
  })

  test('a change that can not reach Redis leaves nothing of L2 in use', async () => {
    const cache = await startRedis({ appendonly: true })
    const cut = await through(cache.url)
    const cutOff = await openCurrentProcess({ cacheUrl: cut.url })
    const other = await openCurrentProcess({ cacheUrl: cache.url })
    const slugs = await Promise.all([newLink(openPool(databaseUrl)), newLink(openPool(databaseUrl))])
    for (const slug of slugs) expect(await other.targetOf(slug)).toBe(former)

    cut.proxy.setMode('reset')
    await change(cutOff, slugs[0] ?? '')
    cut.proxy.setMode('black-hole')
    await change(cutOff, slugs[1] ?? '')
    cut.proxy.setMode('pass')
    cut.proxy.cutConnections()
    const late = await openCurrentProcess({ cacheUrl: cache.url })
    for (const slug of slugs) expect(await late.targetOf(slug)).toBe(next)
    await aSecondLater()
    for (const slug of slugs) expect(await other.targetOf(slug)).toBe(next)
  })

  test('a command without a cache of its own leaves nothing of L2 in use', async () => {
    const { url: cacheUrl } = await startRedis()
    const api = await openCurrentProcess({ cacheUrl })
    const pool = openPool(databaseUrl)
    const slug = await newLink(pool)
    expect(await api.targetOf(slug)).toBe(former)
    const changeLinks = createLinkChanger({ pool, block: undefined, onChange: () => {} })
    await change({ changeLinks }, slug)
    const late = await openCurrentProcess({ cacheUrl })
    expect(await late.targetOf(slug)).toBe(next)
  })

  test('a promoted replica that lacks the change is not believed', async () => {
    const primary = await startRedis()
    const replica = await startRedis({ replicaOf: primary.port })
    const way = await through(primary.url)
    const api = await openCurrentProcess({ cacheUrl: way.url })
    const slug = await newLink(openPool(databaseUrl))
    const replicaKeys = new Redis(replica.url)
    cleanUpLater(() => replicaKeys.disconnect())
    await waitUntil(
      async () => {
        await api.targetOf(slug)
        return (await replicaKeys.keys('*')).length === 1
      },
      { what: 'the replica has the link' },
    )
    await replicaKeys.replicaof('NO', 'ONE')
    await change(api, slug)
    way.proxy.setTarget(replica.port)
    way.proxy.cutConnections()
    const late = await openCurrentProcess({ cacheUrl: way.url })
    for (const process of [api, late]) expect(await process.targetOf(slug)).toBe(next)
  })

  test('a process that is not current does not believe L2', async () => {
    const { url: cacheUrl } = await startRedis()
    const direct = await through(databaseUrl)
    const pool = openPool(databaseUrl)
    const deaf = await openCurrentProcess({ directUrl: direct.url, cacheUrl })
    const other = await openCurrentProcess({ cacheUrl })
    const slug = await newLink(pool)
    expect(await other.targetOf(slug)).toBe(former)
    direct.proxy.setMode('black-hole')
    await waitUntil(() => !deaf.changes.isCurrent(), { what: 'it knows that it is not current' })
    // By hand, so that L2 keeps the former target.
    await pool.query('UPDATE links SET long_url = $2 WHERE slug = $1', [slug, next])
    expect(await deaf.targetOf(slug)).toBe(next)
  })
})

describe('a process whose listening connection', () => {
  test.each(['reset', 'black-hole'] as const)('is cut off (%s) asks PostgreSQL', async mode => {
    const direct = await through(databaseUrl)
    const deaf = await openCurrentProcess({ directUrl: direct.url })
    const other = await openCurrentProcess({})
    const slug = await newLink(openPool(databaseUrl))
    expect(await deaf.targetOf(slug)).toBe(former)
    direct.proxy.setMode(mode)
    await change(other, slug)
    await aSecondLater()
    expect(await deaf.targetOf(slug)).toBe(next)
  })

  test('is back after an outage of PostgreSQL trusts no link that it had before', async () => {
    const way = await through(databaseUrl)
    const pool = openPool(way.url)
    const cutOff = await openCurrentProcess({ databaseUrl: way.url, pool })
    // All the connections that it may have.
    await Promise.all(Array.from({ length: 4 }, () => pool.query('SELECT pg_sleep(0.1)')))
    const other = await openCurrentProcess({})
    const slug = await newLink(openPool(databaseUrl))
    expect(await cutOff.targetOf(slug)).toBe(former)
    way.proxy.setMode('black-hole')
    await waitUntil(() => !cutOff.changes.isListening(), { what: 'the process knows of the outage' })
    await change(other, slug)
    // Promise 7: while it can't be asked, cached links are followed, and without waiting each time.
    expect(await cutOff.targetOf(slug)).toBe(former)
    expect(cutOff.resolver.cached(slug)?.longUrl).toBe(former)

    // The connections of its pool stay dead.
    way.proxy.abandonConnections()
    way.proxy.setMode('pass')
    await waitUntil(cutOff.changes.isCurrent, { what: 'it is current again' })
    expect(cutOff.resolver.cached(slug)).toBeUndefined()
    expect(await cutOff.targetOf(slug)).toBe(next)
    way.proxy.cutConnections()
  })

  test('and PostgreSQL are away for too long follows no link any more', async () => {
    const way = await through(databaseUrl)
    const cutOff = await openCurrentProcess({ databaseUrl: way.url, maxOutageMs: 500 })
    const slug = await newLink(openPool(databaseUrl))
    expect(await cutOff.targetOf(slug)).toBe(former)
    way.proxy.setMode('reset')
    await waitUntil(() => !cutOff.changes.isCurrent(), { what: 'it is not current' })
    await waitUntil(
      () =>
        cutOff.targetOf(slug).then(
          () => false,
          () => true,
        ),
      { what: 'it is refused' },
    )
  })
})
