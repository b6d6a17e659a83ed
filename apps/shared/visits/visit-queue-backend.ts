/**
 * BullMQ's backend for PostgreSQL, with statements of our own for what every job goes through: it is added, claimed and
 * completed.
 *
 * BullMQ's functions also publish five events per job, which nobody reads, and serve flows, deduplication, rate limits and
 * global concurrency, which visits don't use. A job of 4 KB that arrives alone takes 3 or 4 transactions instead of 10,
 * 0.9–1.1 instead of 3.0–4.3 ms of PostgreSQL's CPU time, and 1.3–1.5 instead of 1.9–2.9 ms of ours.
 *
 * Everything else is BullMQ's: failing, delaying, retrying, renewing locks, finding stalled jobs, counting. Its tables hold
 * the same as with its own statements, so processes of the previous release may use the queue at the same time.
 */
import type { JobJson, KeepJobs, MinimalJob, PostgresConnection } from 'bullmq'
import { PostgresQueueBackend } from 'bullmq'
import type { Pool } from 'pg'
import { createGroupCommit } from '../group-commit.ts'

/** The columns of a job that a worker needs. */
interface ClaimedJob {
  id: string | null
  name: string
  data: string
  opts: JobJson['opts']
  attempts_made: number
  attempts_started: number
  stalled_count: number
  added_at_ms: number
  /** These two are known whether a job was claimed or not. */
  was_last: boolean
  next_delay: number | null
}

export class VisitQueueBackend extends PostgresQueueBackend {
  readonly #pool: Pool
  readonly #lockMs: number
  /** A delayed job is due. */
  #mayPromote = false
  /** No other job was waiting when the last one was claimed. */
  #wasLast = false
  /** When the first of the delayed jobs is due (milliseconds since 1970); 0: there is none. */
  #nextDelay = 0
  /** A job has been added, or may have been, since the last claim was sent. */
  #isNotified = true
  /** The connection that is subscribed to notifications of jobs. */
  #listener: Awaited<ReturnType<PostgresConnection['getListenClient']>> | undefined
  #isInterrupted = false
  #wake: () => void = () => {}
  readonly #completions = createGroupCommit<{ id: string; token: string }, boolean>({
    commit: jobs => this.#deleteJobs(jobs),
  })

  constructor(pool: Pool, lockMs: number, ...backend: ConstructorParameters<typeof PostgresQueueBackend>) {
    super(...backend)
    this.#pool = pool
    this.#lockMs = lockMs
    // The listening connection is lost.
    this.connection.on('listenerinvalidated', () => this.#wake())
  }

  /** Only jobs with an id, and without priority, delay, parent or deduplication. */
  override async addJob(job: JobJson, jobId: string): Promise<string> {
    await this.connection.waitUntilReady()
    await this.#pool.query({
      name: 'queue-add',
      text: `WITH added AS (
               INSERT INTO job (queue, id, seq, name, state, data, opts, max_attempts, added_at_ms)
               VALUES ($1, $2, nextval('job_seq'), $3, 'waiting', $4, $5, $6, $7)
               ON CONFLICT (queue, id) DO NOTHING
               RETURNING queue)
             SELECT pg_notify('bullmq_jobs', queue) FROM added`,
      values: [this.queueName, jobId, job.name, job.data, job.opts, job.opts.attempts ?? 1, job.timestamp],
    })
    return jobId
  }

  override async moveToActive(
    token: string,
    name?: string,
  ): ReturnType<PostgresQueueBackend['moveToActive']> {
    if (this.#wasLast && !this.#isNotified) {
      this.#wasLast = false
      return [null, '', 0, this.#nextDelay]
    }
    this.#isNotified = false
    this.#wasLast = false
    if (this.#mayPromote) {
      this.#mayPromote = false
      return super.moveToActive(token, name)
    }
    await this.connection.waitUntilReady()
    const now = Date.now()
    const { rows } = await this.#pool.query<ClaimedJob>({
      name: 'queue-claim',
      text: `WITH next AS (
               SELECT id FROM job
               WHERE queue = $1 AND state = 'waiting'
                 AND NOT EXISTS (SELECT FROM meta WHERE queue = $1 AND field = 'paused' AND value = '1')
               ORDER BY priority, seq LIMIT 1
               FOR UPDATE SKIP LOCKED
             ), claimed AS (
               UPDATE job
               SET state = 'active', lock_token = $2, locked_until_ms = $3::bigint + $4, processed_at_ms = $3,
                 processed_by = $5, attempts_started = attempts_started + 1
               FROM next WHERE job.queue = $1 AND job.id = next.id
               RETURNING job.id, name, data::text, opts, attempts_made, attempts_started, stalled_count, added_at_ms
             )
             SELECT claimed.*,
               (SELECT count(*) < 2 FROM (SELECT FROM job WHERE queue = $1 AND state = 'waiting' LIMIT 2) AS waiting) AS was_last,
               (SELECT min(process_at_ms) FROM job WHERE queue = $1 AND state = 'delayed') AS next_delay
             FROM (SELECT) AS always LEFT JOIN claimed ON true`,
      values: [this.queueName, token, now, this.#lockMs, name ?? null],
    })
    const [row] = rows
    this.#nextDelay = row?.next_delay ?? 0
    this.#mayPromote = this.#nextDelay > 0 && this.#nextDelay <= now
    if (row === undefined || row.id === null) return [null, '', 0, this.#nextDelay]
    this.#wasLast = row.was_last && this.#listener !== undefined && !this.#mayPromote
    return [jobOf(row), row.id, 0, 0]
  }

  /**
   * Resolves with null after `blockTimeout` seconds. BullMQ looks for waiting jobs each time, because it listens only while
   * it waits. This listens all the time: whatever is added after a claim was sent is announced.
   */
  override async waitForJob(blockTimeout: number): ReturnType<PostgresQueueBackend['waitForJob']> {
    if (this.closing || this.#isInterrupted) return null
    const jobMayWait = { member: this.queueName, score: 0 }
    if ((await this.#listen()) || this.#isNotified) return jobMayWait
    if (this.closing || this.#isInterrupted) return null
    return new Promise(resolve => {
      const timer = setTimeout(() => this.#wake(), blockTimeout * 1_000)
      this.#wake = () => {
        this.#wake = () => {}
        clearTimeout(timer)
        resolve(this.#isNotified ? jobMayWait : null)
      }
    })
  }

  /** Returns true if it has subscribed just now: jobs that were added before were not announced to it. */
  async #listen(): Promise<boolean> {
    const client = await this.connection.getListenClient()
    if (client === this.#listener) return false
    await client.query('LISTEN bullmq_jobs')
    client.on('notification', ({ payload }) => {
      if (payload !== this.queueName) return
      this.#isNotified = true
      this.#wake()
    })
    this.#listener = client
    return true
  }

  override async disconnectBlocking(): Promise<void> {
    await super.disconnectBlocking()
    this.#isInterrupted = true
    this.#wake()
  }

  override async reconnectBlocking(): Promise<void> {
    await super.reconnectBlocking()
    this.#isInterrupted = false
  }

  override disconnect(): Promise<void> {
    this.#wake()
    return super.disconnect()
  }

  /** Completed jobs are removed. The next one is not fetched along: a worker that has room claims it. */
  override async moveToCompleted<Data = unknown, Result = unknown, Name extends string = string>(
    job: MinimalJob<Data, Result, Name>,
    returnValue: Result,
    removeOnComplete: boolean | number | KeepJobs,
    token: string,
  ): ReturnType<PostgresQueueBackend['moveToCompleted']> {
    const isRemoved = await this.#completions.add({ id: job.id ?? '', token })
    // BullMQ finds out why: the lock is lost, or the job.
    if (!isRemoved) return super.moveToCompleted(job, returnValue, removeOnComplete, token, false)
    return { result: undefined, finishedOn: Date.now() }
  }

  /** Says of each job whether it was active under this token. */
  async #deleteJobs(jobs: { id: string; token: string }[]): Promise<boolean[]> {
    await this.connection.waitUntilReady()
    const { rows } = await this.#pool.query<{ id: string }>({
      name: 'queue-complete',
      text: `DELETE FROM job USING unnest($2::text[], $3::text[]) AS finished (id, token)
             WHERE queue = $1 AND job.id = finished.id AND state = 'active' AND lock_token = token
             RETURNING job.id`,
      values: [this.queueName, jobs.map(({ id }) => id), jobs.map(({ token }) => token)],
    })
    const deleted = new Set(rows.map(({ id }) => id))
    return jobs.map(({ id }) => deleted.has(id))
  }
}

function jobOf(row: ClaimedJob): Partial<JobJson> {
  return {
    id: row.id ?? '',
    name: row.name,
    data: row.data,
    opts: row.opts,
    attemptsMade: row.attempts_made,
    attemptsStarted: row.attempts_started,
    stalledCounter: row.stalled_count,
    timestamp: row.added_at_ms,
    processedOn: Date.now(),
  }
}
