import { Redis } from 'ioredis'
import { waitUntil } from '../../support/wait-until.ts'
import type { BenchPart, BenchSettings } from '../bench-part.ts'
import { pin } from '../cores.ts'
import { drainedLoad } from '../drained-load.ts'
import { drawVisits } from '../draw-visits.ts'
import { perSecond } from '../load-table.ts'
import type { RecordSample } from '../record-queue.ts'
import { recordQueue } from '../record-queue.ts'
import { assertAllAnswered, loadRedirects } from '../redirect-load.ts'
import { inTurn, summary } from '../rounds.ts'
import type { Services } from '../services.ts'
import { api, seed, startServices } from '../services.ts'
import { summarize } from '../summary.ts'
import { copyVisits } from '../yardsticks/bare-copy.ts'
import { startYardstick } from '../yardsticks/start-yardstick.ts'

const links = 20_000

/** One worker on a full queue, compared with what one API process produces and with bare COPY. */
export const worker: BenchPart = {
  title: 'One worker from a full queue, all aggregates',
  async run(settings) {
    const { cores, rounds, queued } = settings
    const services = await startServices()
    await seed(services, links)
    const running = await api(services)
    pin(cores, cores.server, running.process.pid)
    const visits = drawVisits(queued, links)
    const produce = async () => {
      pin(cores, cores.server, services.postgres.pid, services.redis.pid, services.cache.pid)
      const sample = await drainedLoad(settings, services, running, {
        links,
        visitors: 'mix',
        seconds: settings.seconds / 2,
      })
      pin(cores, cores.all, services.postgres.pid, services.redis.pid, services.cache.pid)
      return sample
    }
    await produce()
    await recordQueue(services, visits.slice(0, visits.length / 4), 1)
    const produced: Awaited<ReturnType<typeof produce>>[] = []
    const samples = await inTurn(rounds, {
      async 'one worker'() {
        produced.push(await produce())
        return recordQueue(services, visits, 1)
      },
      'bare COPY, no index': () => copyVisits(services, visits),
    })
    assertAllAnswered(produced, 'the API')
    const naive = await naiveWorker(settings, services)
    const rate = (sample: RecordSample) => sample.visitsPerSecond
    const recorded = summary(samples['one worker'], rate)
    const production = summary(produced, perSecond)
    const against = (other: number[]) =>
      summarize(samples['one worker'].map((sample, i) => rate(sample) / (other[i] ?? Number.NaN))).median
    const rows = Object.entries(samples).map(([what, own]) => ({
      what,
      cells: [
        summary(own, rate),
        summary(own, sample => sample.workerCpuMicrosPerVisit),
        summary(own, sample => sample.postgresCpuMicrosPerVisit),
      ],
    }))
    return {
      goals: [
        {
          what: 'visits/s recorded by one worker',
          measured: recorded.median,
          must: 'at least',
          bound: 60_000,
          unit: '/s',
        },
        {
          what: 'recorded compared with produced by one API process',
          measured: against(produced.map(perSecond)),
          must: 'at least',
          bound: 1,
          unit: '×',
        },
        {
          what: 'recorded compared with bare COPY',
          measured: against(samples['bare COPY, no index'].map(rate)),
          must: 'at least',
          bound: 0.2,
          unit: '×',
        },
        {
          what: 'CPU time of worker and PostgreSQL per visit compared with the API’s per redirect',
          measured: summarize(
            samples['one worker'].map(
              (sample, i) =>
                (sample.workerCpuMicrosPerVisit + sample.postgresCpuMicrosPerVisit) /
                (produced[i]?.cpuMicrosPerRequest ?? Number.NaN),
            ),
          ).median,
          must: 'at most',
          bound: 1,
          unit: '×',
        },
      ],
      tables: [
        {
          title: `${queued} visits of ${links} links drawn by Zipf’s law, mixed user agents and referrers`,
          columns: ['visits/s', 'CPU µs each, client', 'CPU µs each, PostgreSQL'],
          rows: [
            ...rows,
            {
              what: 'one API process produces (on a single core)',
              cells: [production, summary(produced, sample => sample.cpuMicrosPerRequest), ''],
            },
            { what: 'naive worker, one job at a time', cells: [naive, '', ''] },
          ],
        },
      ],
      plot: {
        title: 'Visits recorded',
        unit: 'visits/s',
        bars: [
          { label: 'one worker', value: recorded },
          { label: 'one API process produces', value: production },
          { label: 'bare COPY, no index', value: summary(samples['bare COPY, no index'], rate) },
          { label: 'naive worker', value: naive },
        ],
      },
      notes: [
        `Worker, PostgreSQL, Redis and a check for completion every 20 ms share all cores (${cores.all}). The queue holds batches of 2,500 visits in frames of 64 and is resumed when the worker is connected; the clock stops when the ledger holds the last visit. A checkpoint precedes each measurement.`,
        `Produced: the redirects of the API with the same mix of links and visitors in the same round, on core ${cores.server}, shared with PostgreSQL and both Redis instances.`,
        'Client: the worker, or the process that sends pre-formatted rows to COPY.',
      ],
    }
  },
}

/** Visits per second counted by the naive design's worker, from a full queue. */
async function naiveWorker(settings: BenchSettings, services: Services) {
  const redis = new Redis(services.redis.url)
  await redis.set('naive:s0000001', 'https://www.example.com/')
  const producer = await startYardstick('naive-api', { REDIS_URL: services.redis.url })
  await loadRedirects(settings, { origin: producer.origin, pids: [] }, { links: 1, seconds: 1 })
  await producer.process.stop()
  const consumer = await startYardstick('naive-worker', {
    REDIS_URL: services.redis.url,
    DATABASE_URL: services.installation.databaseUrl,
  })
  const counted = async () => {
    const { rows } = await services.pool.query<{ visits: string }>(
      'SELECT coalesce(sum(visits), 0) AS visits FROM naive_totals',
    )
    return Number(rows[0]?.visits)
  }
  await waitUntil(async () => (await counted()) > 0, { what: 'the naive worker counts' })
  const before = await counted()
  const startedAt = performance.now()
  await new Promise(resolve => setTimeout(resolve, Math.min(3, settings.seconds) * 1_000))
  const rate = ((await counted()) - before) / ((performance.now() - startedAt) / 1_000)
  consumer.process.kill('SIGKILL')
  await redis.quit()
  return summarize([rate])
}
