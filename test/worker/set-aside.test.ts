import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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
  linkStats,
  openPool,
  shorten,
  spoolDirOf,
  startApi,
  startWorker,
  visit,
  waitForVisits,
  workerOrigin,
} from '../support/hopcount.ts'
import { isNightly } from '../support/nightly.ts'
import type { StartedProcess } from '../support/processes.ts'
import { startProcess } from '../support/processes.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

describe.each([
  { backend: 'Redis', skip: !redisAvailable() },
  // Jobs fail in the same way.
  ...(isNightly ? [{ backend: 'PostgreSQL', skip: false }] : []),
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

    const runQueueCommand = (...args: string[]) => runCommand('apps/worker/queue-command.ts', args)
    const runVerify = () => runCommand('apps/worker/verify.ts', [])

    async function runCommand(script: string, args: string[]): Promise<string> {
      const command = startProcess({
        script,
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
      const logged = () => worker.output().match(/a job is set aside/g)?.length
      await waitUntil(() => logged() === 3, { what: 'each is logged' })

      expect(await runQueueCommand('retry', 'nobody-1')).toBe('1 put back\n')
      await waitUntil(() => logged() === 4, { what: 'it is tried again' })
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
      await api.process.waitForLine(/a batch that the worker refuses is set aside/)
      const pool = openPool(installation.databaseUrl)
      const { rows } = await pool.query('SELECT count(*)::int AS n FROM visits WHERE link_id = 1000000')
      expect(rows).toEqual([{ n: 1 }])
      expect(await queue.find(batchKey({ producerId, seq: 1 }))).toBeUndefined()
      expect((await queue.counts()).failed).toBe(failedBefore + 1)
      // The damaged job was set aside; that its batch was recorded after all has put an end to it.
      const aside = await pool.query('SELECT FROM set_aside_batches WHERE producer_id = $1', [producerId])
      expect(aside.rowCount).toBe(0)
    })

    describe('because PostgreSQL refuses its visits', () => {
      const refused: { slug: string; file: string; id: string }[] = []

      /** Three batches at once: it takes the API 10 s to find out that a worker has refused one. */
      beforeAll(async () => {
        const pool = openPool(installation.databaseUrl)
        const slugs = await Promise.all([1, 2, 3].map(() => shorten(api.origin)))
        const { rows } = await pool.query<{ ids: string }>(
          `SELECT string_agg(id::text, ', ') AS ids FROM links WHERE slug = ANY($1)`,
          [slugs],
        )
        await pool.query(
          `ALTER TABLE visits ADD CONSTRAINT refused CHECK (link_id NOT IN (${rows[0]?.ids})) NOT VALID`,
        )
        const before = setAsideFiles()
        for (const slug of slugs) {
          const known = (await asideBatches()).length
          await visit(api.origin, slug)
          const id = await waitUntil(async () => (await asideBatches())[known], {
            what: 'a batch is set aside',
          })
          refused.push({ slug, id, file: '' })
        }
        const files = await waitUntil(
          () => {
            const found = setAsideFiles().filter(name => !before.includes(name))
            return found.length === 3 && found
          },
          { what: 'their segments are set aside', deadlineMs: 60_000 },
        )
        for (const batch of refused)
          batch.file = files.find(name => batch.id === name.replace(/\/0*(\d+)\.aside$/, '-$1')) ?? ''
        await pool.query('ALTER TABLE visits DROP CONSTRAINT refused')
      })

      const asideBatches = async () =>
        (
          await openPool(installation.databaseUrl).query<{ id: string }>(
            `SELECT producer_id || '-' || seq AS id FROM set_aside_batches ORDER BY set_aside_at`,
          )
        ).rows.map(row => row.id)

      const setAsideFiles = () =>
        readdirSync(spoolDirOf(installation), { recursive: true, encoding: 'utf8' }).filter(name =>
          /\.(aside|retry)$/.test(name),
        )

      const untilDeleted = (file: string) =>
        waitUntil(() => !setAsideFiles().some(name => name.startsWith(file.replace(/\.aside$/, ''))), {
          what: 'the segment is deleted',
        })

      function take() {
        const batch = refused.pop()
        if (batch === undefined) throw new Error('no batch is left')
        return batch
      }

      test('API, worker and verify say so', async () => {
        const warnings = async () => {
          const response = await fetch(`${api.origin}/readyz`)
          expect(response.status).toBe(200)
          return ((await response.json()) as { warnings: string[] }).warnings
        }
        // The API looks through the spool every few seconds.
        await waitUntil(
          async () =>
            /: \d batches in the ledger, \d failed jobs in the queue, [3-9] segments in the spool\./.test(
              (await warnings()).join(),
            ),
          { what: 'the API warns' },
        )
        const fromWorker = await fetch(`${workerOrigin(worker)}/readyz`)
        expect(fromWorker.status).toBe(200)
        const readiness = (await fromWorker.json()) as { warnings: string[] }
        expect(readiness.warnings[0]).toMatch(/: \d batches in the ledger\./)

        const ofApi = await (await fetch(`${api.origin}/metrics`)).text()
        for (const place of ['ledger', 'queue', 'spool'])
          expect(ofApi).toMatch(new RegExp(`^hopcount_set_aside{place="${place}"} [1-9]`, 'm'))
        expect(ofApi).toMatch(/^hopcount_set_aside{place="damaged"} 0$/m)
        expect(ofApi).toMatch(/^hopcount_batches_set_aside_total [1-9]/m)
        const ofWorker = await (await fetch(`${workerOrigin(worker)}/metrics`)).text()
        expect(ofWorker).toMatch(/^hopcount_batches_set_aside [1-9]/m)
        expect(ofWorker).toMatch(/^hopcount_jobs_set_aside_total [1-9]/m)

        const verified = await runVerify()
        for (const { id } of refused) expect(verified).toContain(`set aside: "${id}"`)
        expect(verified).toMatch(/^\d batches are set aside and not counted/m)
        expect(verified).toContain('raw visits, aggregates and ledger agree')
      })

      test('it is counted once it is put back, and its segment is deleted then', async () => {
        const { slug, file, id } = take()
        const path = join(spoolDirOf(installation), file)
        expect(statSync(path).mode & 0o077).toBe(0)
        expect(statSync(dirname(path)).mode & 0o077).toBe(0)
        expect((await linkStats(api.origin, slug)).visits).toBe(0)
        const listed = await runQueueCommand('failed')
        expect(listed).toMatch(new RegExp(`"${id}" {2}\\S+ {2}"refused by PostgreSQL: .*" {2}1 visits`))

        expect(await runQueueCommand('retry', id)).toBe('1 put back\n')
        await waitForVisits(api.origin, slug, 1)
        await untilDeleted(file)
        expect(await asideBatches()).not.toContain(id)
        expect(await queue.find(id)).toBeUndefined()
      })

      test('it is counted once it is put back, also if only its segment is left', async () => {
        const { slug, file, id } = take()
        await (await queue.find(id))?.remove()
        expect(await runQueueCommand('retry', id)).toBe('1 put back\n')
        await waitForVisits(api.origin, slug, 1)
        await untilDeleted(file)
        // What is pending did not become negative.
        expect(await (await fetch(`${api.origin}/metrics`)).text()).toMatch(/^hopcount_visits_pending 0$/m)
      })

      test('it never counts once it is dropped, and nothing of it is left', async () => {
        const { slug, file, id } = take()
        expect(await runQueueCommand('drop', id)).toBe('1 dropped\n')
        await untilDeleted(file)
        expect(await queue.find(id)).toBeUndefined()
        expect(await asideBatches()).not.toContain(id)
        const [producerId, seq] = [id.slice(0, 36), Number(id.slice(37))]
        const frames = encodeFrame([{ linkId: 1, referrer: undefined, userAgent: undefined }], 1, new Map())
        await queue.add({ producerId, seq, frames: queue.pack(frames) })
        await waitUntil(async () => (await queue.find(id)) === undefined, { what: 'the job is absorbed' })
        await visit(api.origin, slug)
        await waitForVisits(api.origin, slug, 1)
      })
    })
  })
})
