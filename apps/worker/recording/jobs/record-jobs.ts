/**
 * From job to ledger: jobs wait for the next transaction (group commit), which unpacks and records their batches.
 *
 * Every outcome says whether the job is acknowledged:
 *   recorded, now or before                                        → acknowledged
 *   unreadable, or refused by PostgreSQL for its data when alone   → set aside in the ledger, then failed for good, kept
 *                                                                    for an operator; acknowledged if it is recorded
 *   encrypted with a key that this worker does not have, or in a   → returned to the queue, for later; acknowledged if it
 *   segment that its SPOOL_DIR does not have whole                   is recorded
 *   PostgreSQL unavailable                                         → waits inside the job, as long as it takes
 *   worker stopping                                                → returned to the queue, unacknowledged
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isDataError } from '@hopcount/shared/database/database.ts'
import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createMinuteLog, errorText } from '@hopcount/shared/log.ts'
import { recordedBatches } from '@hopcount/shared/visits/recorded-batches.ts'
import { setAsideBatch } from '@hopcount/shared/visits/set-aside-batch.ts'
import { packedLength } from '@hopcount/shared/visits/spooled-frames.ts'
import type { VisitJob } from '@hopcount/shared/visits/visit-batch.ts'
import { parseVisitJob } from '@hopcount/shared/visits/visit-batch.ts'
import type { Job } from 'bullmq'
import { DelayedError, UnrecoverableError, WaitingError } from 'bullmq'
import type { Pool } from 'pg'
import type { DescribeWith } from '../describe/describe-visits.ts'
import { describeVisits } from '../describe/describe-visits.ts'
import { DatabaseChanged } from '../known-database.ts'
import type { Batch } from '../record-batches.ts'
import { recordBatches } from '../record-batches.ts'
import type { VisitColumns } from '../visit-columns.ts'
import { clearVisits, createVisitColumns } from '../visit-columns.ts'
import type { VisitKnowledge } from '../visit-knowledge.ts'
import { createKeepTrying, Stopping } from './keep-trying.ts'
import type { MissingKeys } from './missing-keys.ts'
import { retryAfterMs } from './missing-keys.ts'
import type { SharedSpool } from './open-job.ts'
import { CannotOpen, openJob, SegmentMissing, Unrecordable } from './open-job.ts'
import type { WorkerMetrics } from './worker-metrics.ts'

/**
 * The most that one transaction takes, in characters of packed frames: some 60,000 visits. The more visits it has, the
 * more of them share a row of an aggregate. Measured on two cores: 1,000–4,000 visits per transaction give half the rate
 * of 16,000. With enough batches in the queue, 32 of them at a time give 59,000 visits/s and 64 give 64,000 (medians of
 * four alternating rounds). Larger transactions, or three at once, reached 65,000–66,500.
 */
const maxPackedPerTransaction = 1_400_000
const concurrentTransactions = 2
/**
 * Transactions start this far apart while visits come without a pause, so that they grow with the load instead of becoming
 * more. A job that comes after a pause does not wait, and nothing waits once there is enough for a good transaction: some
 * 15,000 visits, or a quarter of the jobs that this worker may hold. While it holds them all, no other comes.
 */
const transactionsEveryMs = 100
const enoughPacked = 350_000
const enoughOfConcurrency = 1 / 4

export interface JobRecorder {
  record(job: Job, token: string | undefined): Promise<void>
  /** From now on, jobs that can't be recorded at once are returned to the queue. */
  stopWaiting(): void
}

/** `recorded`: the ledger holds the batch. */
type Outcome = 'recorded' | Unrecordable | CannotOpen

export function createJobRecorder(options: {
  pool: Pool
  /** How many jobs the worker holds at most: while it holds them all, none comes to those that wait. */
  concurrency: number
  knowledge: VisitKnowledge
  /** Undefined where Redis carries the queue. */
  spool: SharedSpool | undefined
  missingKeys: MissingKeys
  log: Log
  metrics: Pick<WorkerMetrics, 'failedTransactions' | 'jobsSetAside' | 'observeCommit'>
  everyMs?: number
}): JobRecorder {
  const { pool, concurrency, knowledge, spool, missingKeys, log, metrics } = options
  const { everyMs = transactionsEveryMs } = options
  const stop = new AbortController()
  const keepTrying = createKeepTrying({
    log,
    stop: stop.signal,
    onFailure: () => metrics.failedTransactions.inc(),
  })
  const warnOfMisdated = createMinuteLog(
    log,
    'visits have a time that cannot be right, and are counted at the nearest one that can',
  )
  // Jobs wait packed, as they arrived: BullMQ holds them in memory anyway.
  const transactions = createGroupCommit<VisitJob, Outcome>({
    commit: commitJobs,
    weigh: packedLength,
    maxWeight: maxPackedPerTransaction,
    concurrentCommits: concurrentTransactions,
    spacing: {
      ms: everyMs,
      enough: (jobs, packed) => packed >= enoughPacked || jobs >= concurrency * enoughOfConcurrency,
    },
  })
  // Reused, so that a transaction's columns are not left to the garbage collector. At most one per concurrent transaction.
  const unusedColumns: VisitColumns[] = []

  async function record(job: Job, token: string | undefined): Promise<void> {
    const visitJob = parseVisitJob(job.data)
    let outcome: Outcome = new Unrecordable('the job is not a visit batch')
    try {
      if (visitJob !== undefined) outcome = await recordOrSetAside(visitJob)
    } catch (error) {
      if (!(error instanceof Stopping)) throw error
      await job.moveToWait(token)
      throw new WaitingError()
    }
    if (outcome instanceof CannotOpen) {
      missingKeys.missed(job.id ?? '', outcome.message)
      await job.moveToDelayed(Date.now() + retryAfterMs, token)
      throw new DelayedError()
    }
    missingKeys.found(job.id ?? '')
    if (outcome === 'recorded') return
    metrics.jobsSetAside.inc()
    log.error({ job: job.id, reason: outcome.message }, 'a job is set aside')
    throw new UnrecoverableError(outcome.message)
  }

  async function recordOrSetAside(job: VisitJob): Promise<Outcome> {
    const outcome = await transactions.add(job)
    // A recorded segment is deleted, and its job may be delivered again.
    if (outcome instanceof SegmentMissing)
      return (await keepTrying(() => isRecorded(job))) ? 'recorded' : outcome
    if (!(outcome instanceof Unrecordable)) return outcome
    const { message, visits } = outcome
    // Before the job fails: a worker that dies in between gets it again.
    const isSetAside = await keepTrying(() => setAsideBatch(pool, job, { reason: message, visits }))
    return isSetAside ? outcome : 'recorded'
  }

  async function isRecorded(job: VisitJob): Promise<boolean> {
    return (await recordedBatches(pool, [job])).recorded.size > 0
  }

  /** Begins again with what the database says now if it has lost what it said before: batches that are recorded stay so. */
  async function commitJobs(jobs: VisitJob[]): Promise<Outcome[]> {
    for (;;) {
      try {
        return await describeAndCommit(jobs)
      } catch (error) {
        if (!(error instanceof DatabaseChanged)) throw error
        log.warn('the database was exchanged or restarted; what was remembered of it is read again')
        await keepTrying(knowledge.forget)
      }
    }
  }

  async function describeAndCommit(jobs: VisitJob[]): Promise<Outcome[]> {
    const incarnation = knowledge.database.incarnation()
    const salts = await keepTrying(knowledge.salts)
    const bounds = await keepTrying(knowledge.timeBounds)
    const visits = unusedColumns.pop() ?? createVisitColumns()
    try {
      const batches = await describeJobs(visits, jobs, { findCountry: knowledge.findCountry, salts, bounds })
      const sound = batches.filter((batch): batch is Batch => !(batch instanceof Error))
      const outcomes = (sound.length === 0 ? [] : await commitBatches(visits, sound, incarnation)).values()
      return batches.map(batch => (batch instanceof Error ? batch : (outcomes.next().value ?? 'recorded')))
    } finally {
      clearVisits(visits)
      unusedColumns.push(visits)
    }
  }

  async function describeJobs(
    visits: VisitColumns,
    jobs: VisitJob[],
    describeWith: DescribeWith,
  ): Promise<(Batch | Unrecordable | CannotOpen)[]> {
    const batches: (Batch | Unrecordable | CannotOpen)[] = []
    for (const job of jobs) {
      const { producerId, seq } = job
      const begin = visits.length
      const opened = openJob(job, spool)
      if (!(opened instanceof Error)) describeVisits(visits, opened, describeWith)
      batches.push(opened instanceof Error ? opened : { producerId, seq, begin, end: visits.length })
      // Lets the other transaction send its next statement before all jobs are decoded.
      await nextTurn()
    }
    return batches
  }

  async function commitBatches(
    visits: VisitColumns,
    batches: Batch[],
    incarnation: string,
  ): Promise<Outcome[]> {
    try {
      await keepTrying(async () => {
        const startedAt = performance.now()
        const recorded = await recordBatches(pool, knowledge, incarnation, visits, batches)
        const oldestVisits = batches.map(batch => visits.visitedAt[batch.begin] ?? Date.now())
        if (recorded.misdated > 0)
          warnOfMisdated(recorded.misdated, {
            producers: [...new Set(batches.map(batch => batch.producerId))],
          })
        metrics.observeCommit({ ...recorded, oldestVisits, seconds: (performance.now() - startedAt) / 1_000 })
      })
      return batches.map(() => 'recorded')
    } catch (error) {
      if (!isDataError(error)) throw error
      const [batch, ...others] = batches
      if (batch !== undefined && others.length === 0)
        return [new Unrecordable(`refused by PostgreSQL: ${errorText(error)}`, batch.end - batch.begin)]
      return commitEach(visits, batches, incarnation)
    }
  }

  /** One bad batch must not hold back the good ones in the same transaction. */
  async function commitEach(visits: VisitColumns, batches: Batch[], incarnation: string): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for (const batch of batches) outcomes.push(...(await commitBatches(visits, [batch], incarnation)))
    return outcomes
  }

  return { record, stopWaiting: () => stop.abort() }
}
