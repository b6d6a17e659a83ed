import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import { Counter, collectDefaultMetrics, Gauge, Registry } from '@prometheus-io/client'
import type { ReadSilent } from '../freshness/watch-silent.ts'
import type { VisitRecorder } from '../visits/record-visits.ts'
import type { JoinedMetrics } from './join-metrics.ts'
import type { ReadSetAside } from './watch-set-aside.ts'

export interface ApiMetrics {
  contentType: string
  text(): Promise<string>
}

/** The metrics of an API process, and of its siblings on the same address. They are read from plain numbers on each scrape; a redirect only increments those. */
export function createApiMetrics(
  recorder: Pick<VisitRecorder, 'counters' | 'pending' | 'keptBytes'>,
  queue: VisitQueue,
  prefetches: { refused: number },
  readSilent: ReadSilent,
  readSetAside: ReadSetAside,
  joined: JoinedMetrics | undefined,
): ApiMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const { counters } = recorder
  counter('hopcount_visits_kept_total', 'Visits made durable before their redirect', () => counters.kept)
  counter(
    'hopcount_visits_refused_total',
    'Redirects refused with 503 because the visit could not be kept',
    () => counters.refused,
  )
  counter(
    'hopcount_prefetches_refused_total',
    'Prefetches of links by browsers, refused with 503 and not counted',
    () => prefetches.refused,
  )
  counter(
    'hopcount_visits_lost_total',
    'Redirects whose visit is lost: it could not be kept (VISIT_LOSS=allow), or its spool segment was deleted or damaged',
    () => counters.lost,
  )
  counter(
    'hopcount_spool_damaged_ranges_total',
    'Damaged ranges found in spool segments',
    () => counters.damagedRanges,
  )
  counter(
    'hopcount_batches_set_aside_total',
    'Batches set aside because the worker refuses them',
    () => counters.batchesSetAside,
  )
  counter(
    'hopcount_batches_offered_again_total',
    'Batches that the database had confirmed and lost, and that are delivered again',
    () => counters.batchesOfferedAgain,
  )
  gauge('hopcount_spool_kept_bytes', 'Size of the segments that are recorded and kept', recorder.keptBytes)
  gauge(
    'hopcount_visits_pending',
    'Visits kept or adopted by this process and not known to be recorded',
    () => recorder.pending().visits,
  )
  gauge(
    'hopcount_batches_in_window',
    'Batches on their way to the ledger; the window limits them',
    () => recorder.pending().batches,
  )
  gauge(
    'hopcount_spool_segments_waiting',
    'Sealed segments waiting in the spool for room in the window',
    () => recorder.pending().waitingSegments,
  )
  gauge(
    'hopcount_unrecorded_visit_age_seconds',
    'Age of the oldest visit that is not known to be recorded',
    () => Math.max(0, (Date.now() - recorder.pending().recordedUpTo) / 1_000),
    'max',
  )
  const jobs = new Gauge({
    name: 'hopcount_queue_jobs',
    help: 'Jobs in the queue by state',
    aggregator: 'max',
    labelNames: ['state'],
    registers: [registry],
  })
  const silent = new Gauge({
    name: 'hopcount_silent_producer_pending_visits',
    help: 'Visits that an API process which is silent had not counted at its last report',
    aggregator: 'max',
    labelNames: ['producer', 'host'],
    registers: [registry],
  })

  const setAside = new Gauge({
    name: 'hopcount_set_aside',
    help: 'What is set aside for an operator, by place; the same batch is normally in several',
    aggregator: 'max',
    labelNames: ['place'],
    registers: [registry],
  })

  function counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }

  function gauge(name: string, help: string, read: () => number, aggregator: 'sum' | 'max' = 'sum'): void {
    new Gauge({
      name,
      help,
      aggregator,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }

  /** Of metrics that are the same in every process, one is shown. */
  async function refresh(): Promise<void> {
    jobs.reset()
    const counts = await queue.counts().catch(() => undefined)
    for (const [state, count] of Object.entries(counts ?? {})) jobs.set({ state }, count)
    for (const [place, count] of Object.entries(await readSetAside())) setAside.set({ place }, count)
    silent.reset()
    for (const { producerId, host, pending } of await readSilent())
      silent.set({ producer: producerId, host }, pending)
  }

  async function text(): Promise<string> {
    if (joined !== undefined) return joined.text()
    await refresh()
    return registry.metrics()
  }

  joined?.provide(
    () => registry.getMetricsAsJSON(),
    async () => {
      await refresh()
      return registry.getMetricsAsJSON()
    },
  )
  return { contentType: registry.contentType, text }
}
