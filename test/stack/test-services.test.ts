import { Redis } from 'ioredis'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { startPostgres } from '../support/postgres.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { createTestDatabase } from '../support/test-database.ts'

async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return await client.query(text)
  } finally {
    await client.end()
  }
}

describe('the services that tests run against', () => {
  it('each test file gets its own migrated database', async () => {
    const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()])
    await query(one.url, `INSERT INTO links (slug, long_url) VALUES ('abc', 'https://example.com/')`)
    expect((await query(other.url, 'SELECT * FROM links')).rowCount).toBe(0)
    const partitions = await query(one.url, `SELECT 1 FROM pg_inherits WHERE inhparent = 'visits'::regclass`)
    expect(partitions.rowCount).toBeGreaterThan(8)
    await other.drop()
    await expect(query(other.url, 'SELECT 1')).rejects.toThrow('does not exist')
  })

  it('a PostgreSQL killed with all its backends restarts with everything that was committed', async () => {
    const server = await startPostgres()
    await query(server.url, `INSERT INTO links (slug, long_url) VALUES ('abc', 'https://example.com/')`)
    for (let round = 0; round < 3; round++) {
      await server.kill9()
      await expect(query(server.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
      await server.restart()
      expect((await query(server.url, 'SELECT slug FROM links')).rows).toEqual([{ slug: 'abc' }])
    }
  })

  it.skipIf(!redisAvailable())('a Redis with an append-only file keeps its keys over a restart', async () => {
    const server = await startRedis({ appendonly: true, maxmemory: '64mb', policy: 'noeviction' })
    const client = new Redis(server.url)
    client.on('error', () => {})
    await client.set('key', 'value')
    await server.restart()
    expect(await client.get('key')).toBe('value')
    await server.kill9()
    client.disconnect()
  })

  it('the proxy passes, delays, drops replies and resets', async () => {
    const { url } = await createTestDatabase()
    const proxy = await startTcpProxy({ port: Number(new URL(url).port) })
    const through = new URL(url)
    through.port = String(proxy.port)
    const ask = (text: string) => query(`${through.href}?connect_timeout=1`, text)
    expect((await ask('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    proxy.setMode({ delayMs: 50 })
    const before = performance.now()
    await ask('SELECT 1')
    expect(performance.now() - before).toBeGreaterThan(100)
    proxy.setMode('reset')
    await expect(ask('SELECT 1')).rejects.toThrow()
    proxy.setMode('pass')
    const client = new pg.Client({ connectionString: through.href, query_timeout: 300 })
    client.on('error', () => {})
    await client.connect()
    proxy.setMode('drop-replies')
    await expect(
      client.query(`INSERT INTO links (slug, long_url) VALUES ('lost', 'https://example.com/')`),
    ).rejects.toThrow('timeout')
    proxy.cutConnections()
    expect((await query(url, `SELECT 1 FROM links WHERE slug = 'lost'`)).rowCount).toBe(1)
  })
})
