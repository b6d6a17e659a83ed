/** What is set aside, for warnings and metrics: read when asked for, at most once a second. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { SetAsideCounts } from '@hopcount/shared/visits/set-aside-counts.ts'
import { setAsideInLedger } from '@hopcount/shared/visits/set-aside-counts.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { Pool } from 'pg'
import type { VisitRecorder } from '../visits/record-visits.ts'

/** Never rejects, and takes no longer than `patienceMs`: what can't be read stays as it was last known. */
export type ReadSetAside = () => Promise<SetAsideCounts>

const rememberMs = 1_000
const patienceMs = 500

export function watchSetAside({
  pool,
  queue,
  recorder,
}: {
  pool: Pool
  queue: Pick<VisitQueue, 'counts'>
  recorder: Pick<VisitRecorder, 'setAsideSegments'>
}): ReadSetAside {
  let known = { ledger: 0, queue: 0 }
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined

  // Their outages are logged elsewhere.
  async function read(): Promise<void> {
    const [ledger, jobs] = await Promise.allSettled([setAsideInLedger(pool), queue.counts()])
    known = {
      ledger: ledger.status === 'fulfilled' ? ledger.value : known.ledger,
      queue: jobs.status === 'fulfilled' ? jobs.value.failed : known.queue,
    }
    readAt = performance.now()
    reading = undefined
  }

  return async () => {
    if (performance.now() - readAt > rememberMs) {
      reading ??= read()
      await Promise.race([reading, sleep(patienceMs, undefined, { ref: false })])
    }
    const { aside, damaged } = recorder.setAsideSegments()
    return { ...known, spool: aside, damaged }
  }
}
