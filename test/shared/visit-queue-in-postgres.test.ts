/** The queue where PostgreSQL carries it: statements of our own on BullMQ's tables (visit-queue-backend.ts). */
import { randomBytes } from 'node:crypto'
import type { Client, Pool } from 'pg'
import { beforeEach, expect, test } from 'vitest'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { openLog } from '../../apps/shared/log.ts'
import { startVisitWorker } from '../../apps/shared/visits/start-visit-worker.ts'
import type { VisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import { openVisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import type { Job } from '../bench/yardsticks/product-bullmq.ts'
import { createPostgresBackend, DelayedError, Queue, Worker } from '../bench/yardsticks/product-bullmq.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import { openPool } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

const log = openLog({ name: 'test', level: 'silent' })
const producerId = newProducerId()
const key = { fingerprint: 'f', secret: randomBytes(32) }
let databaseUrl: string
let pool: Pool
let queue: VisitQueue
beforeEach(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
  queue = openVisitQueue({ redisUrl: undefined, databaseUrl }, log, key)
  cleanUpLater(() => queue.close())
})

const add = (seq: number) => queue.add({ producerId, seq, frames: `frames of ${seq}` })
const seqOf = ({ data }: Job): number => data.seq

/** Starts a worker that notes the numbers of the batches that it is given. */
function work(record: (job: Job, token: string) => Promise<void> = async () => {}): number[] {
  const seqs: number[] = []
  const worker = startVisitWorker(
    { redisUrl: undefined, databaseUrl },
    { concurrency: 4, log },
    (job, token = '') => {
      seqs.push(seqOf(job))
      return record(job, token)
    },
  )
  cleanUpLater(() => worker.close())
  return seqs
}

const previousRelease = () => ({ connection: { connectionString: databaseUrl, schema: 'hopcount_queue' } })

async function jobRows(): Promise<string[]> {
  const { rows } = await pool.query<{ job: string }>(
    "SELECT data->>'seq' || ' ' || state AS job FROM hopcount_queue.job ORDER BY seq",
  )
  return rows.map(({ job }) => job)
}

const until = (what: string, condition: () => boolean | Promise<boolean>) => waitUntil(condition, { what })

test('a job is added once, given to a worker as it was added, and removed once it is done', async () => {
  await add(1)
  await add(1)
  expect(await jobRows()).toEqual(['1 waiting'])
  const given: Job[] = []
  work(async job => void given.push(job))
  await until('the queue is empty', async () => (await jobRows()).length === 0)
  expect(given).toHaveLength(1)
  const { id, name, data, attemptsStarted, opts } = given[0] as Job
  expect({ id, name, data, attemptsStarted, attempts: opts.attempts }).toEqual({
    id: `${producerId}-1`,
    name: 'batch',
    data: { producerId, seq: 1, frames: 'frames of 1', key: 'f' },
    attemptsStarted: 1,
    attempts: 1_000_000,
  })
})

test('jobs are given in the order in which they were added, the ones at hand as well as those that follow', async () => {
  for (const seq of [1, 2, 3]) await add(seq)
  const seqs = work()
  await until('3 jobs', () => seqs.length === 3)
  for (const seq of [4, 5, 6]) await add(seq)
  await until('6 jobs', () => seqs.length === 6)
  expect(seqs).toEqual([1, 2, 3, 4, 5, 6])
})

test('a job costs three statements, and leaves no event behind', async () => {
  let statements = 0
  const onConnected = (client: unknown) => {
    const connection = client as Client
    const query = connection.query
    connection.query = ((...values: unknown[]) => {
      statements++
      return Reflect.apply(query, connection, values)
    }) as typeof query
  }
  const counted = { redisUrl: undefined, databaseUrl, onConnected }
  const countedQueue = openVisitQueue(counted, log, key)
  const seqs: number[] = []
  const worker = startVisitWorker(counted, { concurrency: 4, log }, async job => void seqs.push(seqOf(job)))
  cleanUpLater(() => Promise.all([worker.close(), countedQueue.close()]))
  const addAndAwait = async (seq: number) => {
    await countedQueue.add({ producerId, seq, frames: '' })
    await until('the job is done', async () => seqs.length === seq && (await jobRows()).length === 0)
  }
  await addAndAwait(1)
  statements = 0
  for (let seq = 2; seq <= 21; seq++) await addAndAwait(seq)
  // Added, claimed, completed. One more now and then: locks are looked after every few seconds.
  expect(statements).toBeLessThan(20 * 3.5)
  const { rows } = await pool.query('SELECT FROM hopcount_queue.event')
  expect(rows).toEqual([])
})

test('a worker that lost its lock does not complete the job of another', async () => {
  const worker = startVisitWorker(
    { redisUrl: undefined, databaseUrl },
    { concurrency: 1, log },
    async job => {
      await pool.query("UPDATE hopcount_queue.job SET lock_token = 'of another worker' WHERE id = $1", [
        job.id,
      ])
    },
  )
  cleanUpLater(() => worker.close())
  const errors: Error[] = []
  worker.on('error', error => errors.push(error))
  await add(1)
  await until('BullMQ says so', () => errors.length > 0)
  expect(errors[0]?.message).toMatch(/lock mismatch|not locked|lock/i)
  expect(await jobRows()).toEqual(['1 active'])
})

test('a job that a worker returns for later is given again when it is due, although others arrive all the time', async () => {
  let returned = 0
  const seqs = work(async (job, token) => {
    if (seqOf(job) !== 1 || returned++ > 0) return
    await job.moveToDelayed(Date.now() + 100, token)
    throw new DelayedError()
  })
  await add(1)
  for (let seq = 2; seqs.filter(each => each === 1).length < 2; seq++) {
    await add(seq)
    if (seq > 5_000) throw new Error('the job was not given again')
  }
  await until('the queue is empty', async () => (await jobRows()).length === 0)
})

test('while the queue is paused no job is given', async () => {
  const bullmq = new Queue('visit-batches', previousRelease(), createPostgresBackend)
  cleanUpLater(() => bullmq.close())
  const seqs = work()
  await add(1)
  await until('the worker works', () => seqs.length === 1)
  await bullmq.pause()
  for (let seq = 2; seq <= 21; seq++) await add(seq)
  expect(seqs).toEqual([1])
  await bullmq.resume()
  await until('all jobs', () => seqs.length === 21)
})

test('processes of the previous release add jobs for ours, and work on ours', async () => {
  const oldQueue = new Queue('visit-batches', previousRelease(), createPostgresBackend)
  cleanUpLater(() => oldQueue.close())
  const seqs = work()
  await oldQueue.add('batch', { producerId, seq: 1 }, { jobId: `${producerId}-1`, removeOnComplete: true })
  await until('its job', async () => seqs.length === 1 && (await jobRows()).length === 0)

  const older: number[] = []
  const oldWorker = new Worker(
    'visit-batches',
    async job => void older.push(seqOf(job)),
    { ...previousRelease(), removeOnComplete: { count: 0 }, concurrency: 4 },
    createPostgresBackend,
  )
  cleanUpLater(() => oldWorker.close())
  for (let seq = 2; older.length < 5; seq++) {
    await add(seq)
    if (seq > 1_000) throw new Error('the worker of the previous release was given nothing')
  }
  await until('the queue is empty', async () => (await jobRows()).length === 0)
  expect(new Set([...seqs, ...older]).size).toBe(seqs.length + older.length)
})
