/** The silent producers, for warnings and metrics: read when asked for, at most once a second. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { SilentProducer } from '@hopcount/shared/visits/silent-producers.ts'
import { silentProducers } from '@hopcount/shared/visits/silent-producers.ts'
import type { Pool } from 'pg'

/** Never rejects: while the database is away, the last that is known. */
export type ReadSilent = () => Promise<SilentProducer[]>

const rememberMs = 1_000
const waitMs = 1_000

export function watchSilent(pool: Pool, log: Log): ReadSilent {
  const health = createHealthLog(log, 'looking for silent API processes')
  let known: SilentProducer[] = []
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined

  async function read(): Promise<void> {
    try {
      known = await silentProducers(pool)
      health.works()
    } catch (error) {
      health.fails(error)
    }
    readAt = performance.now()
    reading = undefined
  }

  return async () => {
    if (performance.now() - readAt > rememberMs) {
      reading ??= read()
      // A database that hangs must not hold up a scrape or a probe.
      await Promise.race([reading, sleep(waitMs, undefined, { ref: false })])
    }
    return known
  }
}
