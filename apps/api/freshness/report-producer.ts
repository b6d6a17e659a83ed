/**
 * Reports to the database how far this producer's visits are counted, so that every process can say how fresh statistics
 * are (read-freshness.ts).
 *
 * Other processes may claim nothing about this one that it has not said itself: a silent producer may be redirecting
 * behind a broken network. So a report is also due when nothing happens, though less often. An idle process whose
 * statistics nobody reads writes two small rows every five seconds.
 *
 * A producer that ends removes its row. One that dies is looked after by those that share its spool: they report on it
 * while they deliver its segments, and remove its row once none is left. If its spool is gone with it, its row stays, and
 * holds the statistics' age back until an operator writes it off.
 */
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog, errorText } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import type { VisitRecorder } from '../visits/record-visits.ts'
import type { DatabaseWatch } from '../watch-database.ts'
import type { Producer, Report } from './producer-queries.ts'
import { endProducer, registerProducer, reportProgress } from './producer-queries.ts'
import { markSpool } from './spool-id.ts'

export interface ProducerReports {
  /** The statistics are being read: reports come every second for a while. */
  beFrequent(): void
  /** The last report, once the recorder is closed. Never rejects. */
  close(): Promise<void>
}

const reportEveryMs = 1_000
const idleReportEveryMs = 5_000
const frequentForMs = 10_000
/** A report that everything is counted does not wait for the second. */
const soonestReportMs = 400
const registerWithinMs = 10_000

export async function startReports(options: {
  recorder: VisitRecorder
  pool: Pool
  watch: DatabaseWatch
  spoolDir: string
  log: Log
}): Promise<ProducerReports> {
  const { recorder, pool, watch, spoolDir, log } = options
  const health = createHealthLog(log, 'reporting how far visits are counted')
  const producer: Producer = {
    producerId: recorder.producerId,
    host: hostname(),
    spoolId: await markSpool(spoolDir, log),
  }
  await register(pool, producer)

  let incarnation: string | undefined
  let known: ReadonlySet<string> = new Set()
  let ended: string[] = []
  let reportedAt = performance.now()
  let frequentUntil = 0
  let keptBefore = 0
  let wasPending = false
  let reporting: Promise<void> | undefined
  let soon: NodeJS.Timeout | undefined
  const timer = setInterval(() => {
    if (isDue()) void report()
  }, reportEveryMs)
  recorder.onAllSettled(reportSoon)

  function isDue(): boolean {
    const { kept } = recorder.counters
    const hasNews = kept !== keptBefore || wasPending || recorder.pending().visits > 0
    const sinceReportMs = performance.now() - reportedAt
    return (
      hasNews || performance.now() < frequentUntil || sinceReportMs > idleReportEveryMs - reportEveryMs / 2
    )
  }

  function reportSoon(): void {
    soon ??= setTimeout(
      () => {
        soon = undefined
        void report()
      },
      Math.max(50, reportedAt + soonestReportMs - performance.now()),
    )
  }

  /** One at a time: concurrent calls share the report in progress. Never rejects. */
  function report(): Promise<void> {
    reporting ??= writeReport().finally(() => {
      reporting = undefined
    })
    return reporting
  }

  async function writeReport(): Promise<void> {
    reportedAt = performance.now()
    try {
      const reported = await reportProgress(pool, producer, describe)
      known = reported.known
      ended = await findEnded(reported.quiet)
      if (ended.length > 0) reportSoon()
      health.works()
    } catch (error) {
      health.fails(error)
    }
  }

  /** The watch tells the recorder what it has to doubt, so it must have seen this incarnation before the recorder is asked. */
  async function describe(seen: string | undefined): Promise<Report> {
    if (seen === undefined || seen !== incarnation) {
      await watch.check()
      if (seen === undefined || !seen.startsWith(`${watch.epoch()} `))
        throw new Error('another epoch of the database began')
      incarnation = seen
    }
    const { visits } = recorder.pending()
    const recordedUntil = recorder.recordedUntil()
    keptBefore = recorder.counters.kept
    wasPending = visits > 0
    const adopted = recorder.adopted()
    const unknown = adopted.filter(({ producerId }) => !known.has(producerId))
    return {
      own: {
        recordedUntil,
        ageMs: Math.max(0, Date.now() - recordedUntil),
        pending: recorder.ownPending() + unknown.reduce((sum, { visits }) => sum + visits, 0),
        lastSeq: recorder.lastSeq(),
      },
      adopted,
      ended,
    }
  }

  async function findEnded(quiet: string[]): Promise<string[]> {
    const found: string[] = []
    for (const producerId of quiet) if (await recorder.hasEnded(producerId)) found.push(producerId)
    return found
  }

  async function close(): Promise<void> {
    clearInterval(timer)
    clearTimeout(soon)
    await reporting
    if (recorder.ownPending() > 0) return report()
    await endProducer(pool, producer.producerId).catch(error => health.fails(error))
  }

  return {
    beFrequent() {
      frequentUntil = performance.now() + frequentForMs
    },
    close,
  }
}

/** A process that others don't know of must not redirect. */
async function register(pool: Pool, producer: Producer): Promise<void> {
  const deadline = performance.now() + registerWithinMs
  for (;;) {
    try {
      return await registerProducer(pool, producer)
    } catch (error) {
      if (performance.now() > deadline)
        throw new Error(`PostgreSQL (DATABASE_URL): ${errorText(error)}`, { cause: error })
      await sleep(500)
    }
  }
}
