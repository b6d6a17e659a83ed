/** A flood of unknown slugs is rejected cheaply, and never at the expense of an existing link. */
import { randomBytes } from 'node:crypto'
import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { cleanUpLater } from '../../support/clean-up.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, shorten, startApi, visit } from '../../support/hopcount.ts'
import { redisAvailable, startRedis } from '../../support/redis.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { answerTo, expectProblem, requestBytes } from '../requests.ts'

describe.skipIf(!redisAvailable())('during a flood of unknown slugs', () => {
  let pool: Pool
  let cache: Redis
  /** Creates the links. */
  let one: RunningApi
  /** Receives the flood. */
  let other: RunningApi
  beforeAll(async () => {
    const databaseUrl = (await createTestDatabase()).url
    const redisUrl = (await startRedis()).url
    pool = openPool(databaseUrl)
    cache = new Redis(redisUrl)
    cleanUpLater(() => cache.disconnect())
    one = await startApi({ databaseUrl })
    // Links on a full page of those read at start, and on the last page, which is not full.
    await pool.query(
      `INSERT INTO links (slug, long_url) SELECT 'old' || n, 'https://example.com/' FROM generate_series(1, 7000) AS n`,
    )
    other = await startApi({ databaseUrl, redisUrl, env: { CACHE_REDIS_URL: redisUrl } })
    await waitUntil(async () => (await lookedUp(1_000)) < 500, {
      what: 'the flood is rejected',
      everyMs: 500,
    })
  })

  /** Requests this many unknown slugs; returns how many were looked up in the cache: all that were not rejected. */
  async function lookedUp(count: number): Promise<number> {
    const before = await misses()
    await Promise.all(Array.from({ length: count }, () => status(other, unknownSlug())))
    return (await misses()) - before
  }

  async function misses(): Promise<number> {
    return Number(/keyspace_misses:(\d+)/.exec(await cache.info('stats'))?.[1])
  }

  test('they are 404 like any other, and almost none is looked up', async () => {
    const startedAt = Date.now()
    const lookups = await lookedUp(4_000)
    const seconds = Math.ceil((Date.now() - startedAt) / 1_000) + 1
    // 100 a second, plus those that pass the filter.
    expect(lookups).toBeLessThan(100 * seconds + 100)
    expectProblem(await answerTo(other.port, requestBytes('GET', `/${unknownSlug()}`)), 404)
    expect((await answerTo(other.port, requestBytes('HEAD', `/${unknownSlug()}`))).status).toBe(404)
  })

  test('links that existed before the process are found', async () => {
    await flooding(async () => {
      for (const number of [1, 2, 4_999, 5_000, 5_001, 6_999, 7_000])
        expect(await visit(other.origin, `old${number}`)).toBe('https://example.com/')
    })
  })

  test('a link created by another process is found as soon as its creation is confirmed', async () => {
    await flooding(async () => {
      for (let i = 0; i < 300; i++) await visit(other.origin, await shorten(one.origin))
    })
  })

  test('a link created while notices of changes were missed is found, immediately and later', async () => {
    await flooding(async () => {
      for (let i = 0; i < 20; i++) {
        await pool.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'hopcount link changes'`,
        )
        await visit(other.origin, await shorten(one.origin))
        const unheard = await Promise.all(Array.from({ length: 10 }, () => shorten(one.origin)))
        // Before it listens again, while it reads, and after that.
        await sleep(40 * i)
        for (const slug of unheard) await visit(other.origin, slug)
      }
    })
  })

  test('links inserted directly into the table are found too, all of them soon after the first', async () => {
    await pool.query(
      `INSERT INTO links (slug, long_url) SELECT 'manual' || n, 'https://example.com/' FROM generate_series(1, 50) AS n`,
    )
    await flooding(async () => {
      for (let n = 1; n <= 50; n++)
        await waitUntil(async () => (await status(other, `manual${n}`)) === 307, {
          what: `/manual${n} redirects`,
          everyMs: 5,
        })
    })
  })

  /** Requests unknown slugs continuously, far more than the process looks up. */
  async function flooding(work: () => Promise<void>): Promise<void> {
    let over = false
    const answered = { notFound: 0, other: 0 }
    const streams = Array.from({ length: 16 }, async () => {
      while (!over) answered[(await status(other, unknownSlug())) === 404 ? 'notFound' : 'other']++
    })
    await sleep(100)
    await work().finally(() => {
      over = true
    })
    await Promise.all(streams)
    expect(answered.other).toBe(0)
    expect(answered.notFound).toBeGreaterThan(100)
  }
})

function unknownSlug(): string {
  return `x${randomBytes(6).toString('hex')}`
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 })

function status({ origin }: RunningApi, slug: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(`${origin}/${slug}`, { agent }, answer => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0))
    }).once('error', reject)
  })
}
