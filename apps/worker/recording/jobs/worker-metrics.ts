import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'
import type { Recorded } from '../record-batches.ts'
import type { TextRoom } from '../text-room.ts'
import type { MissingKeys } from './missing-keys.ts'

export interface WorkerMetrics {
  registry: Registry
  jobsSetAside: Counter
  failedTransactions: Counter
  /** `oldestVisits`: of each batch, in milliseconds since 1970. */
  observeCommit(commit: Recorded & { oldestVisits: number[]; seconds: number }): void
}

export function createWorkerMetrics(
  missingKeys: Pick<MissingKeys, 'jobs'>,
  textRoom: Pick<TextRoom, 'rows' | 'limit'>,
  setAsideBatches: () => Promise<number>,
): WorkerMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const visits = new Counter({ name: 'hopcount_visits_recorded_total', help: 'Visits counted', registers })
  const duplicates = new Counter({
    name: 'hopcount_duplicate_batches_total',
    help: 'Batches that came again after they had been counted',
    registers,
  })
  const misdated = new Counter({
    name: 'hopcount_misdated_visits_total',
    help: 'Visits counted at the nearest time that can be right',
    registers,
  })
  new Gauge({
    name: 'hopcount_texts',
    help: 'Rows of the table texts: referrers and user agents that came again',
    registers,
    collect() {
      this.set(textRoom.rows())
    },
  })
  new Gauge({
    name: 'hopcount_texts_max',
    help: 'Rows that the table texts may have (TEXTS_MAX)',
    registers,
    collect() {
      this.set(textRoom.limit)
    },
  })
  const commitSeconds = new Histogram({
    name: 'hopcount_commit_seconds',
    help: 'Duration of a recording transaction',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const lagSeconds = new Histogram({
    name: 'hopcount_visit_lag_seconds',
    help: 'From the redirect to the commit, for the oldest visit of each batch',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600],
    registers,
  })
  new Gauge({
    name: 'hopcount_jobs_without_key',
    help: 'Jobs that this worker returned to the queue within the last half minute because it does not have their key',
    registers,
    collect() {
      this.set(missingKeys.jobs())
    },
  })
  new Gauge({
    name: 'hopcount_batches_set_aside',
    help: 'Batches in the ledger’s table of those that are set aside',
    registers,
    async collect() {
      this.set(await setAsideBatches())
    },
  })
  return {
    registry,
    jobsSetAside: new Counter({
      name: 'hopcount_jobs_set_aside_total',
      help: 'Jobs that could not be read or that PostgreSQL refused for their data',
      registers,
    }),
    failedTransactions: new Counter({
      name: 'hopcount_failed_transactions_total',
      help: 'Recording transactions that failed and were tried again',
      registers,
    }),
    observeCommit(commit) {
      visits.inc(commit.visits)
      duplicates.inc(commit.duplicates)
      misdated.inc(commit.misdated)
      commitSeconds.observe(commit.seconds)
      const now = Date.now()
      for (const oldest of commit.oldestVisits) lagSeconds.observe(Math.max(0, now - oldest) / 1_000)
    },
  }
}
