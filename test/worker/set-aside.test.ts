import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { newProducerId, segmentPath } from '../../apps/api/visits/producer-folder.ts'
import { openLog } from '../../apps/shared/log.ts'
import { readQueueKey } from '../../apps/shared/visits/queue-key.ts'
import { batchKey, encodeFrame } from '../../apps/shared/visits/visit-batch.ts'
import type { VisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import { openVisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import type { Installation, RunningApi } from '../support/hopcount.ts'
import {
  openPool,
  shorten,
  spoolDirOf,
  startApi,
  startWorker,
  visit,
  waitForVisits,
} from '../support/hopcount.ts'
import type { StartedProcess } from '../support/processes.ts'
import { startProcess } from '../support/processes.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

describe.each([
  { backend: 'Redis', skip: !redisAvailable() },
  { backend: 'PostgreSQL', skip: false },
])('a job that can not be recorded, in $backend,', ({ backend, skip }) => {
  describe.skipIf(skip)('', () => {
    let installation: Installation
    let api: RunningApi
    let worker: StartedProcess
    let queue: VisitQueue

    beforeAll(async () => {
      installation = {
        databaseUrl: (await createTestDatabase()).url,
        redisUrl: backend === 'Redis' ? (await startRedis()).url : undefined,
        spoolDir: temporaryFolder(),
      }
      api = await startApi(installation)
      worker = await startWorker(installation)
      const log = openLog({ name: 'test', level: 'silent' })
      const key = readQueueKey(spoolDirOf(installation))
      queue = openVisitQueue({ ...installation, redisUrl: installation.redisUrl }, log, key)
      await queue.ready()
      cleanUpLater(() => queue.close())
    })

    async function runQueueCommand(...args: string[]): Promise<string> {
      const command = startProcess({
        script: 'apps/worker/queue-command.ts',
        args,
        env: {
          DATABASE_URL: installation.databaseUrl,
          SPOOL_DIR: spoolDirOf(installation),
          ...(installation.redisUrl && { REDIS_URL: installation.redisUrl }),
        },
      })
      await command.exited
      return command.output()
    }

    test('is set aside with its reason, does not delay good ones, and can be put back', async () => {
      const frame = encodeFrame(
        [{ linkId: 1, referrer: undefined, userAgent: undefined }],
        Date.now(),
        new Map(),
      )
      const damaged = Buffer.from(frame)
      damaged[damaged.length - 1] = 0xff
      await queue.add({ producerId: 'nobody', seq: 1, frames: '' })
      await queue.add({ producerId: newProducerId(), seq: 1, frames: queue.pack(damaged) })
      await queue.add({ producerId: newProducerId(), seq: 1, frames: '' })

      const slug = await shorten(api.origin)
      for (let i = 0; i < 5; i++) await visit(api.origin, slug)
      await waitForVisits(api.origin, slug, 5)
      await waitUntil(async () => (await queue.counts()).failed === 3, { what: 'three jobs are set aside' })
      expect(
        (await openPool(installation.databaseUrl).query('SELECT count(*)::int AS n FROM visits')).rows[0].n,
      ).toBe(5)

      // The ledger has those that are batches.
      const { rows } = await openPool(installation.databaseUrl).query(
        'SELECT seq, reason, visits FROM set_aside_batches',
      )
      expect(rows).toEqual(
        Array(2).fill({ seq: 1, reason: 'the frames of the batch are damaged', visits: null }),
      )

      const listed = await runQueueCommand('failed')
      expect(listed).toMatch(/"nobody-1" {2}\S+ {2}"the job is not a visit batch"/)
      expect(listed.match(/"the frames of the batch are damaged"/g)).toHaveLength(2)
      expect(listed).toContain('3 set aside')
      expect(worker.output().match(/a job is set aside/g)).toHaveLength(3)

      expect(await runQueueCommand('retry', 'nobody-1')).toBe('1 put back\n')
      await waitUntil(() => (worker.output().match(/a job is set aside/g)?.length ?? 0) === 4, {
        what: 'it is tried again',
      })
      await waitUntil(async () => (await queue.counts()).failed === 3, { what: 'it is set aside again' })
    })

    test('is replaced if its segment has different bytes; otherwise the segment is kept and no longer sent', async () => {
      const producerId = newProducerId()
      const folder = join(spoolDirOf(installation), producerId)
      const frame = encodeFrame(
        [{ linkId: 1_000_000, referrer: undefined, userAgent: undefined }],
        Date.now(),
        new Map(),
      )
      const failedBefore = (await queue.counts()).failed
      // The queue has different bytes for batch 1. No producer writes a batch 0, so the worker refuses it as it is.
      await queue.add({ producerId, seq: 1, frames: '' })
      await waitUntil(async () => (await queue.counts()).failed === failedBefore + 1, {
        what: 'the job fails',
      })
      mkdirSync(folder)
      for (const seq of [0, 1]) writeFileSync(segmentPath(folder, seq, 'sealed'), frame)

      await waitUntil(() => readdirSync(folder).filter(name => name.endsWith('.sealed')).length === 0, {
        what: 'neither segment waits',
        deadlineMs: 60_000,
      })
      expect(readFileSync(segmentPath(folder, 0, 'aside')).equals(frame)).toBe(true)
      expect(api.process.output()).toContain('a batch that the worker refuses is set aside')
      const pool = openPool(installation.databaseUrl)
      const { rows } = await pool.query('SELECT count(*)::int AS n FROM visits WHERE link_id = 1000000')
      expect(rows).toEqual([{ n: 1 }])
      expect(await queue.find(batchKey({ producerId, seq: 1 }))).toBeUndefined()
      expect((await queue.counts()).failed).toBe(failedBefore + 1)
      // The damaged job was set aside; that its batch was recorded after all has put an end to it.
      const aside = await pool.query('SELECT FROM set_aside_batches WHERE producer_id = $1', [producerId])
      expect(aside.rowCount).toBe(0)
    })
  })
})
