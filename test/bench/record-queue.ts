/** How fast workers record a full queue. */
import type { Visit } from '../../apps/shared/visits/visit-batch.ts'
import { waitUntil } from '../support/wait-until.ts'
import { fillHeldQueue } from './fill-queue.ts'
import { cpuSeconds } from './process-usage.ts'
import type { Services } from './services.ts'
import { checkpoint, countedVisits, worker } from './services.ts'

export interface RecordSample {
  visitsPerSecond: number
  workerCpuMicrosPerVisit: number
  postgresCpuMicrosPerVisit: number
}

/** The time from resuming the queue, with all workers connected, until the ledger holds the last visit. */
export async function recordQueue(
  services: Services,
  visits: Visit[],
  workers: number,
): Promise<RecordSample> {
  const queue = await fillHeldQueue(services, visits)
  const target = (await countedVisits(services.pool)) + visits.length
  await checkpoint(services)
  const running = await Promise.all(Array.from({ length: workers }, () => worker(services)))
  // Workers first look at the queue, the partitions and the ledger.
  await new Promise(resolve => setTimeout(resolve, 300))
  const pids = running.map(each => each.pid)
  const cpuBefore = { worker: cpuSeconds(...pids), postgres: cpuSeconds(services.postgres.pid) }
  const startedAt = performance.now()
  await queue.letGo()
  await waitUntil(async () => (await countedVisits(services.pool)) >= target, {
    what: 'the queue is recorded',
    deadlineMs: 300_000,
    everyMs: 20,
  })
  const seconds = (performance.now() - startedAt) / 1_000
  const each = 1e6 / visits.length
  const sample = {
    visitsPerSecond: visits.length / seconds,
    workerCpuMicrosPerVisit: (cpuSeconds(...pids) - cpuBefore.worker) * each,
    postgresCpuMicrosPerVisit: (cpuSeconds(services.postgres.pid) - cpuBefore.postgres) * each,
  }
  for (const each of running) await each.stop()
  return sample
}
