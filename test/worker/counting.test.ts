import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { isExact, judgeWhenDrained, startLoad } from '../support/checker.ts'
import type { Installation, RunningApi } from '../support/hopcount.ts'
import {
  linkStats,
  openPool,
  shorten,
  startApi,
  startWorker,
  visit,
  waitForVisits,
} from '../support/hopcount.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

const backends = [
  { queue: 'Redis', skip: !redisAvailable() },
  { queue: 'PostgreSQL', skip: false },
]

describe.each(backends)('with the queue in $queue', ({ queue, skip }) => {
  describe.skipIf(skip)('', () => {
    let installation: Installation & { spoolDir: string }
    let api: RunningApi

    beforeAll(async () => {
      installation = {
        databaseUrl: (await createTestDatabase()).url,
        redisUrl: queue === 'Redis' ? (await startRedis({ appendonly: true })).url : undefined,
        spoolDir: temporaryFolder(),
      }
      api = await startApi(installation)
      await startWorker(installation)
    })

    test('every redirect is counted once, with its time, referrer and user agent', async () => {
      const slug = await shorten(api.origin, { long_url: 'https://example.com/a?b=c#d' })
      const before = Date.now()
      expect(await visit(api.origin, slug, { referer: 'https://news.test/', 'user-agent': 'Firefox' })).toBe(
        'https://example.com/a?b=c#d',
      )
      for (let i = 0; i < 9; i++) await visit(api.origin, slug)
      const stats = await waitForVisits(api.origin, slug, 10)
      expect(stats.recent).toHaveLength(10)
      expect(stats.recent.at(-1)).toMatchObject({ referrer: 'https://news.test/', user_agent: 'Firefox' })
      expect(Date.parse(stats.first_visit ?? '')).toBeGreaterThanOrEqual(before - 1)
      expect(stats.series.reduce((sum, bucket) => sum + bucket.visits, 0)).toBe(10)
    })

    test('HEAD returns the same response as GET and is not counted', async () => {
      const slug = await shorten(api.origin)
      const head = await fetch(`${api.origin}/${slug}`, { method: 'HEAD', redirect: 'manual' })
      expect(head.status).toBe(307)
      expect(head.headers.get('location')).toBe('https://example.com/')
      expect(head.headers.get('cache-control')).toBe('private, no-store')
      await visit(api.origin, slug)
      await waitForVisits(api.origin, slug, 1)
      await sleep(500)
      expect((await linkStats(api.origin, slug)).visits).toBe(1)
    })

    test('under concurrent load exactly the answered redirects are counted, and the spool is empty in the end', async () => {
      const slugs = await Promise.all(Array.from({ length: 20 }, () => shorten(api.origin)))
      const pool = openPool(installation.databaseUrl)
      const load = startLoad({ origin: () => api.origin, slugs, connections: 16 })
      await sleep(1_500)
      await load.stop()
      const verdict = await judgeWhenDrained(pool, [load])
      expect(verdict).toMatchObject({
        lost: [],
        twice: [],
        invented: [],
        differences: [],
        unknown: 0,
        refused: 0,
      })
      expect(verdict.answered).toBeGreaterThan(100)
      await waitUntil(() => segmentsIn(installation.spoolDir).length === 0, { what: 'no segment is left' })
    })

    test('an API process killed with SIGKILL under load loses no redirect that it answered', async () => {
      const pool = openPool(installation.databaseUrl)
      const slugs = await Promise.all(Array.from({ length: 5 }, () => shorten(api.origin)))
      const load = startLoad({ origin: () => api.origin, slugs })
      for (let round = 0; round < 2; round++) {
        await sleep(300 + Math.random() * 500)
        api.process.kill('SIGKILL')
        await api.process.exited
        api = await startApi({ ...installation, port: api.port })
      }
      await sleep(300)
      await load.stop()
      const verdict = await judgeWhenDrained(pool, [load])
      expect({ ...verdict, exact: isExact(verdict) }).toMatchObject({
        lost: [],
        twice: [],
        invented: [],
        differences: [],
        exact: true,
      })
      await waitUntil(() => segmentsIn(installation.spoolDir).length === 0, { what: 'no segment is left' })
    })

    test('an API process that stops hands over its visits and leaves its folder empty', async () => {
      const slug = await shorten(api.origin)
      for (let i = 0; i < 5; i++) await visit(api.origin, slug)
      expect(await api.process.stop()).toMatchObject({ code: 0 })
      expect(segmentsIn(installation.spoolDir)).toEqual([])
      api = await startApi({ ...installation, port: api.port })
      await waitForVisits(api.origin, slug, 5)
    })
  })
})

function segmentsIn(spoolDir: string): string[] {
  return readdirSync(spoolDir, { recursive: true, encoding: 'utf8' }).filter(name =>
    /\.(open|sealed|damaged|aside)$/.test(name),
  )
}
