import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { VisitJob } from '../../../apps/shared/visits/visit-batch.ts'
import { batchKey, encodeFrame, parseVisitJob } from '../../../apps/shared/visits/visit-batch.ts'
import { compactLedger } from '../../../apps/worker/maintenance/compact-ledger.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { FaultSystem } from '../fault-system.ts'
import { stopIdleWorkers } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

const levels = ['serializable', 'repeatable read']

/**
 * The worst moment for a batch that comes again: the worker's statement has begun, and waits for the row of another batch,
 * when a watermark replaces the ledger row of this one.
 */
export const otherIsolation: Row = {
  number: 30,
  title:
    'default isolation SERIALIZABLE or REPEATABLE READ, batches come again while the ledger is compacted: counted once',
  kinds: levels.length,
  system: { partsLater: true },
  async round(system, context) {
    const level = levels[context.round % levels.length]
    const database = new URL(system.databaseUrl).pathname.slice(1)
    await system.pool.query(`ALTER DATABASE ${database} SET default_transaction_isolation TO '${level}'`)
    const api = await system.startApi()
    system.slugs.splice(0, system.slugs.length, ...(await system.prepareLinks(5)))
    let jobs: VisitJob[] = []
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        await waitUntil(async () => (await system.queue.counts()).waiting > 5, { what: 'batches wait' })
        jobs = await waitingJobs(system)
        await system.startWorker()
        await waitUntil(async () => (await recorded(system, jobs)) === jobs.length, {
          what: 'the batches are recorded',
        })
      },
      lasts: () => deliverDuringCompaction(system, jobs),
      heal: () => {},
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000, logLines: 20 },
    })
    await stopIdleWorkers(system)
    await api.process.stop()
    system.apis.pop()
    return result
  },
}

async function deliverDuringCompaction(system: FaultSystem, jobs: VisitJob[]): Promise<void> {
  // Both of the worker's transactions wait, so that what comes now is recorded by the next one, in one statement.
  const [first, second, third] = [newBatch(), newBatch(), newBatch()]
  const releaseFirst = await holdBatch(system, first)
  const releaseSecond = await holdBatch(system, second)
  const releaseThird = await holdBatch(system, third)
  await system.queue.add(first)
  await waitUntil(async () => (await waiting(system)) === 1, { what: 'one transaction waits' })
  await system.queue.add(second)
  await waitUntil(async () => (await waiting(system)) === 2, { what: 'both transactions wait' })
  await Promise.all([third, ...jobs].map(job => system.queue.add(job)))
  await waitUntil(async () => (await system.queue.counts()).waiting === 0, {
    what: 'the worker has the jobs',
  })
  await releaseFirst()
  await waitUntil(async () => (await waiting(system)) === 2, { what: 'the next transaction waits' })
  await compactLedger(system.pool)
  if ((await recorded(system, jobs)) > 0) throw new Error('the ledger was not compacted')
  await releaseThird()
  await releaseSecond()
}

/** Its id sorts before that of any producer. */
function newBatch(): VisitJob {
  const producerId = `00000000-0000-7000-8000-${randomBytes(6).toString('hex')}`
  const visit = { linkId: 1, referrer: 'http://elsewhere.test/', userAgent: undefined }
  return { producerId, seq: 1, frames: encodeFrame([visit], Date.now(), new Map()).toString('base64') }
}

/** Makes everybody who inserts the batch's ledger row wait until the returned function is called. */
async function holdBatch({ databaseUrl }: FaultSystem, batch: VisitJob): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  await client.query('INSERT INTO ledger (producer_id, seq, counted) VALUES ($1, $2, 0)', [
    batch.producerId,
    batch.seq,
  ])
  return () => client.end()
}

async function waitingJobs(system: FaultSystem): Promise<VisitJob[]> {
  const redis = new Redis(system.redis.url)
  const jobs = new Map<string, VisitJob>()
  for (const key of await redis.keys('{hopcount}:visit-batches:*-7*')) {
    const job = await system.queue.find(key.split(':')[2] ?? '')
    const data = parseVisitJob(job?.data)
    if (data !== undefined) jobs.set(batchKey(data), data)
  }
  redis.disconnect()
  return [...jobs.values()]
}

async function recorded({ pool }: FaultSystem, jobs: VisitJob[]): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*) FROM ledger JOIN unnest($1::uuid[], $2::bigint[]) AS job (producer_id, seq) USING (producer_id, seq)`,
    [jobs.map(job => job.producerId), jobs.map(job => job.seq)],
  )
  return rows[0]?.count ?? 0
}

/** How many transactions wait for a ledger row. */
async function waiting({ pool }: FaultSystem): Promise<number> {
  const { rows } = await pool.query(
    `SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO ledger %'`,
  )
  return rows.length
}
