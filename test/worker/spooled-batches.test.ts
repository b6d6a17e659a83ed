/** Jobs that say where the frames of a batch are, where PostgreSQL carries the queue (spooled-frames.ts). */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { createDeliverer } from '../../apps/api/visits/delivery/deliver-batches.ts'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { segmentBatch } from '../../apps/api/visits/segments/segment-batch.ts'
import { openLog } from '../../apps/shared/log.ts'
import { claimQueueKey } from '../../apps/shared/visits/claim-queue-key.ts'
import { isEncrypted, unpackFrames } from '../../apps/shared/visits/pack-frames.ts'
import { referToSegment, segmentPath } from '../../apps/shared/visits/spooled-frames.ts'
import { startVisitWorker } from '../../apps/shared/visits/start-visit-worker.ts'
import type { BatchId } from '../../apps/shared/visits/visit-batch.ts'
import { encodeFrame, parseVisitJob } from '../../apps/shared/visits/visit-batch.ts'
import type { VisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import { openVisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import { DelayedError } from '../bench/yardsticks/product-bullmq.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import { openPool, startWorker, workerOrigin } from '../support/hopcount.ts'
import { epochOf } from '../support/settled-epoch.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

const log = openLog({ name: 'test', level: 'silent' })
const texts = new Map<string, number>()
const frame = (visits: number) =>
  encodeFrame(Array(visits).fill({ linkId: 1, referrer: undefined, userAgent: undefined }), Date.now(), texts)
/** Two frames with five visits. */
const frames = Buffer.concat([frame(2), frame(3)])

let databaseUrl: string
let pool: Pool
let spoolDir: string
let queue: VisitQueue
beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
  spoolDir = temporaryFolder()
  queue = openVisitQueue({ redisUrl: undefined, databaseUrl }, log, await claimQueueKey(pool, spoolDir))
  await queue.ready()
  cleanUpLater(() => queue.close())
})

const newBatch = (): BatchId => ({ producerId: newProducerId(), seq: 1 })

function writeSegment(
  { producerId, seq }: BatchId,
  bytes: Buffer,
  state: 'sealed' | 'kept' = 'sealed',
): string {
  const folder = join(spoolDir, producerId)
  mkdirSync(folder, { recursive: true })
  writeFileSync(segmentPath(folder, seq, state), bytes)
  return folder
}

async function counted({ producerId }: BatchId): Promise<number | undefined> {
  const { rows } = await pool.query<{ counted: number }>(
    'SELECT counted FROM ledger WHERE producer_id = $1',
    [producerId],
  )
  return rows[0]?.counted
}

async function jobsInQueue(): Promise<{ key: string; state: string; bytes: number }[]> {
  const { rows } = await pool.query(
    "SELECT data->>'key' AS key, state, length(data::text) AS bytes FROM hopcount_queue.job ORDER BY seq",
  )
  return rows
}

const until = (what: string, condition: () => boolean | Promise<boolean>) => waitUntil(condition, { what })

test('a producer sends the frames only when a worker could not read the segment, and with every batch from then on', async () => {
  const exits: string[] = []
  const deliverer = createDeliverer({
    queue,
    pool,
    watch: await epochOf(pool),
    log,
    onExit: (_, exit) => exits.push(exit),
    sendAgainAfterMs: 300,
  })
  cleanUpLater(() => deliverer.stop(0))
  const kept = { keep: async () => {} }
  const deliver = (seq: number) => {
    const id = { producerId, seq }
    const folder = writeSegment(id, frames)
    const path = segmentPath(folder, seq, 'sealed')
    const known = { visits: 5, firstVisitAt: Date.now(), frames }
    deliverer.deliver(segmentBatch({ id, folder, path, known, kept, log, onDamage: () => {} }))
  }
  const { producerId } = newBatch()

  deliver(1)
  await until('a job', async () => (await jobsInQueue()).length === 1)
  expect(await jobsInQueue()).toMatchObject([{ key: 'spool', state: 'waiting' }])
  expect((await jobsInQueue())[0]?.bytes).toBeLessThan(200)

  const received: string[] = []
  const worker = startVisitWorker(
    { redisUrl: undefined, databaseUrl },
    { concurrency: 4, log },
    async (job, token) => {
      received.push(`${job.data.seq} ${job.data.key === 'spool' ? 'refers to the spool' : 'carries frames'}`)
      if (job.data.key === 'spool') {
        await job.moveToDelayed(Date.now() + 60_000, token)
        throw new DelayedError()
      }
      await pool.query('INSERT INTO ledger (producer_id, seq, counted) VALUES ($1, $2, 5)', [
        producerId,
        job.data.seq,
      ])
    },
  )
  await until('the first batch is counted', () => exits.length === 1)
  deliver(2)
  await until('the second is, too', () => exits.length === 2)
  expect(received).toEqual(['1 refers to the spool', '1 carries frames', '2 carries frames'])
  expect(exits).toEqual(['counted', 'counted'])
  await worker.close()
}, 60_000)

test('a worker records what lies in the spool as it was sealed, and returns the job of any other segment', async () => {
  const refer = (batch: BatchId, visits = 5) => queue.add(referToSegment(batch, visits))
  const whole = newBatch()
  const keptOnly = newBatch()
  writeSegment(whole, frames)
  writeSegment(keptOnly, frames, 'kept')
  const flipped = Buffer.from(frames)
  flipped[20] = (flipped[20] ?? 0) ^ 1
  const broken: [BatchId, Buffer | undefined][] = [
    [newBatch(), undefined],
    [newBatch(), frame(2)],
    [newBatch(), frames.subarray(0, -1)],
    [newBatch(), flipped],
    [newBatch(), Buffer.concat([frames, Buffer.of(0)])],
  ]
  for (const [batch, bytes] of broken) if (bytes !== undefined) writeSegment(batch, bytes)
  // Recorded before, and its segment deleted since.
  const before = newBatch()
  await pool.query('INSERT INTO ledger (producer_id, seq, counted) VALUES ($1, 1, 7)', [before.producerId])
  for (const batch of [before, whole, keptOnly, ...broken.map(([batch]) => batch)]) await refer(batch)

  const worker = await startWorker({ databaseUrl, spoolDir })
  await until(
    'both are recorded',
    async () => (await counted(whole)) === 5 && (await counted(keptOnly)) === 5,
  )
  await until('the other jobs are returned', async () => {
    const states = (await jobsInQueue()).map(({ state }) => state)
    return states.length === broken.length && states.every(state => state === 'delayed')
  })
  for (const [batch] of broken) expect(await counted(batch)).toBeUndefined()
  const readiness = await fetch(`${workerOrigin(worker)}/readyz`)
  expect(readiness.status).toBe(503)
  expect(await readiness.text()).toContain('which SPOOL_DIR does not have whole')

  for (const [batch] of broken) writeSegment(batch, frames)
  for (const [batch] of broken) await until('it is recorded', async () => (await counted(batch)) === 5)
  await until('the queue is empty', async () => (await jobsInQueue()).length === 0)
  const { rows } = await pool.query('SELECT FROM set_aside_batches')
  expect(rows).toEqual([])
}, 60_000)

test('a worker of the previous release takes the job for one whose key it does not have', () => {
  const job = referToSegment(newBatch(), 5)
  expect(parseVisitJob(job)).toBe(job)
  expect(isEncrypted(job.frames)).toBe(true)
  expect(unpackFrames(job.frames, Buffer.alloc(32))).toBeUndefined()
  expect(job.key).not.toMatch(/^[0-9a-f]{16}$/)
})
