import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { newProducerId, segmentPath } from '../../apps/api/visits/producer-folder.ts'
import { openLog } from '../../apps/shared/log.ts'
import { batchKey, encodeFrame } from '../../apps/shared/visits/visit-batch.ts'
import { openVisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import { openPool, shorten, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import { isNightly } from '../support/nightly.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

/** The most batches of one API process that may be in flight at a time. */
const window = 32

describe.each([
  { backend: 'Redis', skip: !redisAvailable() },
  { backend: 'PostgreSQL', skip: false },
])('while no worker runs, with the queue in $backend,', ({ backend, skip }) => {
  test.skipIf(skip)(
    'the queue holds a limited window of batches; the rest of the backlog waits in the spool',
    async () => {
      const spoolDir = temporaryFolder()
      const installation = {
        databaseUrl: (await createTestDatabase()).url,
        redisUrl: backend === 'Redis' ? (await startRedis()).url : undefined,
        spoolDir,
      }
      const adopted = leaveSegments(spoolDir, 100)
      const queue = openVisitQueue(installation, openLog({ name: 'test', level: 'silent' }))
      await queue.ready()
      cleanUpLater(() => queue.close())
      const jobs = async () => {
        const { waiting, active, delayed } = await queue.counts()
        return waiting + active + delayed
      }

      const api = await startApi(installation)
      const slug = await shorten(api.origin)
      await waitUntil(async () => (await jobs()) === window, { what: 'the window is full' })
      // Without the window, these would become several jobs: a segment is sealed at least every 150 ms.
      for (let i = 0; i < 20; i++) {
        await visit(api.origin, slug)
        await sleep(70)
        expect(await jobs()).toBe(window)
      }
      expect(segmentsIn(join(spoolDir, adopted))).toBe(100)

      await startWorker(installation)
      await waitForVisits(api.origin, slug, 20)
      const pool = openPool(installation.databaseUrl)
      await waitUntil(
        async () => (await pool.query('SELECT count(*)::int AS n FROM visits')).rows[0].n === 120,
        { what: 'the whole backlog is counted' },
      )
      expect(await compareCounts(pool)).toEqual([])
    },
  )
})

describe.each([
  { backend: 'Redis', skip: !redisAvailable() },
  // The API decides in the same way.
  ...(isNightly ? [{ backend: 'PostgreSQL', skip: false }] : []),
])('what a queue in $backend loses while no worker runs', ({ backend, skip }) => {
  test.skipIf(skip)('is added again, and every visit is counted once', async () => {
    const spoolDir = temporaryFolder()
    const redis = backend === 'Redis' ? await startRedis() : undefined
    const installation = {
      databaseUrl: (await createTestDatabase()).url,
      redisUrl: redis?.url,
      spoolDir,
    }
    const producerId = leaveSegments(spoolDir, 12)
    const queue = openVisitQueue(installation, openLog({ name: 'test', level: 'silent' }))
    await queue.ready()
    cleanUpLater(() => queue.close())
    await startApi(installation)
    await waitUntil(async () => (await queue.counts()).waiting === 12, { what: 'all batches wait' })

    // Jobs 1 to 4 are lost completely; of 5 to 8 only the job itself, while the queue's lists still name it.
    for (let seq = 1; seq <= 4; seq++) await (await queue.find(batchKey({ producerId, seq })))?.remove()
    if (redis !== undefined) {
      const client = new Redis(redis.url)
      for (let seq = 5; seq <= 8; seq++)
        expect(await client.del(`{hopcount}:visit-batches:${batchKey({ producerId, seq })}`)).toBe(1)
      client.disconnect()
    }
    await waitUntil(
      async () => {
        const jobs = await Promise.all(
          Array.from({ length: 12 }, (_, i) => queue.find(batchKey({ producerId, seq: i + 1 }))),
        )
        return jobs.every(job => job !== undefined)
      },
      { what: 'the queue holds all jobs again', deadlineMs: 60_000 },
    )

    await startWorker(installation)
    const pool = openPool(installation.databaseUrl)
    await waitUntil(
      async () => (await pool.query('SELECT count(*)::int AS n FROM visits')).rows[0].n === 12,
      { what: 'all are counted' },
    )
    await waitUntil(() => segmentsIn(join(spoolDir, producerId)) === 0, { what: 'no segment is left' })
    expect(await compareCounts(pool)).toEqual([])
  })
})

/** The spool of a producer that no longer runs, with one visit per segment; returns the producer's id. */
function leaveSegments(spoolDir: string, count: number): string {
  const producerId = newProducerId()
  mkdirSync(join(spoolDir, producerId))
  for (let seq = 1; seq <= count; seq++) {
    const frame = encodeFrame(
      [{ linkId: 1_000_000, referrer: undefined, userAgent: undefined }],
      Date.now(),
      new Map(),
    )
    writeFileSync(segmentPath(join(spoolDir, producerId), seq, 'sealed'), frame)
  }
  return producerId
}

function segmentsIn(folder: string): number {
  if (!existsSync(folder)) return 0
  return readdirSync(folder).filter(name => name.endsWith('.sealed')).length
}
