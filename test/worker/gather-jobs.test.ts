/** Jobs that come without a pause are gathered into few transactions; one that comes alone does not wait. */
import { randomBytes } from 'node:crypto'
import type { Pool } from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { openLog } from '../../apps/shared/log.ts'
import { packFrames } from '../../apps/shared/visits/pack-frames.ts'
import { encodeFrame } from '../../apps/shared/visits/visit-batch.ts'
import { createMissingKeys } from '../../apps/worker/recording/jobs/missing-keys.ts'
import type { JobRecorder } from '../../apps/worker/recording/jobs/record-jobs.ts'
import { createJobRecorder } from '../../apps/worker/recording/jobs/record-jobs.ts'
import { createWorkerMetrics } from '../../apps/worker/recording/jobs/worker-metrics.ts'
import { createTextRoom } from '../../apps/worker/recording/text-room.ts'
import { openVisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { openPool } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'

let pool: Pool
beforeAll(async () => {
  pool = openPool((await createTestDatabase()).url)
})

/** A recorder whose transactions are an hour apart unless there is a reason, and the visits of each transaction so far. */
async function openRecorder(concurrency: number): Promise<{ recorder: JobRecorder; transactions: number[] }> {
  const log = openLog({ name: 'test', level: 'silent' })
  const missingKeys = createMissingKeys(log)
  const metrics = createWorkerMetrics(missingKeys, createTextRoom(), async () => 0)
  const transactions: number[] = []
  const recorder = createJobRecorder({
    pool,
    concurrency,
    everyMs: 3_600_000,
    knowledge: await openVisitKnowledge(pool),
    spool: undefined,
    missingKeys,
    log,
    metrics: { ...metrics, observeCommit: ({ visits }) => transactions.push(visits) },
  })
  return { recorder, transactions }
}

type Job = Parameters<JobRecorder['record']>[0]

let seq = 0
const producerId = newProducerId()
function job(referrer = 'http://r.test/'): Job {
  const visit = { linkId: 7, referrer, userAgent: 'Browser/1' }
  const frames = packFrames(encodeFrame([visit], Date.now(), new Map()))
  return { id: `job-${++seq}`, data: { producerId, seq, frames } } as Job
}

test('a job alone is recorded at once; a burst of jobs that come one by one is one transaction', async () => {
  const { recorder, transactions } = await openRecorder(64)
  await recorder.record(job(), undefined)
  const burst: Promise<void>[] = []
  for (let i = 0; i < 16; i++) {
    burst.push(recorder.record(job(), undefined))
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  await Promise.all(burst)
  expect(transactions).toEqual([1, 16])
})

test('a worker that handles one job at a time never waits for a second one', async () => {
  const { recorder, transactions } = await openRecorder(1)
  for (let i = 0; i < 3; i++) await recorder.record(job(), undefined)
  expect(transactions).toEqual([1, 1, 1])
})

test('jobs that are large enough for a transaction wait for no others', async () => {
  const { recorder, transactions } = await openRecorder(64)
  await recorder.record(job(), undefined)
  const large = Array.from({ length: 3 }, () => recorder.record(largeJob(), undefined))
  await Promise.all(large)
  expect(transactions).toEqual([1, 3 * visitsOfLargeJob])
})

const visitsOfLargeJob = 400

/** Of some 120,000 characters, because what is random can't be compressed. */
function largeJob(): Job {
  const visits = Array.from({ length: visitsOfLargeJob }, () => ({
    linkId: 7,
    referrer: `http://r.test/${randomBytes(225).toString('base64url')}`,
    userAgent: undefined,
  }))
  const frames = packFrames(encodeFrame(visits, Date.now(), new Map()))
  return { id: `job-${++seq}`, data: { producerId, seq, frames } } as Job
}
