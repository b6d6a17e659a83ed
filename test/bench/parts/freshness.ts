import { shorten } from '../../support/hopcount.ts'
import type { BenchPart } from '../bench-part.ts'
import { pin } from '../cores.ts'
import { perSecond } from '../load-table.ts'
import { pacedLoad } from '../paced-load.ts'
import { probeFreshness } from '../probe-freshness.ts'
import { loadRedirects, wholeSeconds } from '../redirect-load.ts'
import { api, drain, seed, startServices, worker } from '../services.ts'
import { percentileOf, summarize } from '../summary.ts'

const links = 2_000
const probes = 8
const pollEveryMs = 20

/** The time from a redirect to its visit in the statistics, at half load. */
export const freshness: BenchPart = {
  title: 'Redirect → visible in /stats/:slug, at half load',
  async run(settings) {
    const { cores, rounds } = settings
    const services = await startServices()
    await seed(services, links)
    const running = await api(services)
    pin(cores, cores.server, running.process.pid, services.redis.pid, services.cache.pid)
    const contender = { origin: running.origin, pids: [running.process.pid] }
    const recording = await worker(services)
    await loadRedirects(settings, contender, { links, seconds: 2 })
    // All components share the cores, so this is the maximum of the whole installation, not of the API alone.
    const full = await loadRedirects(settings, contender, { links, seconds: settings.seconds / 2 })
    await recording.stop()
    await drain(services, running)
    const half = Math.floor(perSecond(full) / 2)
    const recordingAgain = await worker(services)
    const slugs = await Promise.all(Array.from({ length: probes }, () => shorten(running.origin)))

    const samples: { delaysMs: number[]; answeredPerSecond: number }[] = []
    for (let round = 0; round < rounds; round++) {
      const probing = probeFreshness({
        origin: running.origin,
        slugs,
        pollEveryMs,
        seconds: settings.seconds,
      })
      const load = await pacedLoad(
        {
          origin: running.origin,
          paths: Array.from({ length: links }, (_, i) => `/s${String(i + 1).padStart(7, '0')}`),
          headers: { 'user-agent': 'bench' },
          perSecond: half,
          seconds: wholeSeconds(settings.seconds) + 1,
          warmUpSeconds: 0,
          connections: 64,
          spin: false,
        },
        cores,
        [],
      )
      samples.push({ delaysMs: await probing, answeredPerSecond: load.perSecond })
    }
    await recordingAgain.stop()
    const p50 = summarize(samples.map(sample => percentileOf(sample.delaysMs, 50)))
    const p99 = summarize(samples.map(sample => percentileOf(sample.delaysMs, 99)))
    const longest = summarize(samples.map(sample => Math.max(...sample.delaysMs)))
    return {
      goals: [
        { what: 'redirect → visible, p50', measured: p50.median, must: 'at most', bound: 300, unit: 'ms' },
        { what: 'redirect → visible, p99', measured: p99.median, must: 'at most', bound: 1_000, unit: 'ms' },
      ],
      tables: [
        {
          title: `${half} redirects a second`,
          columns: ['p50 ms', 'p99 ms', 'longest ms', 'probes', 'responses/s'],
          rows: [
            {
              what: 'redirect → visible',
              cells: [
                p50,
                p99,
                longest,
                summarize(samples.map(sample => sample.delaysMs.length)),
                summarize(samples.map(sample => sample.answeredPerSecond)),
              ],
            },
          ],
        },
      ],
      plot: {
        title: 'Redirect → visible in /stats/:slug',
        unit: 'ms',
        bars: [
          { label: 'p50', value: p50 },
          { label: 'p99', value: p99 },
          { label: 'longest', value: longest },
        ],
      },
      notes: [
        `Half load: half of the ${Math.round(perSecond(full))} redirects/s that the API reaches while the worker records. The API and both Redis instances run on core ${cores.server}, the paced generator on core ${cores.generator}; worker, PostgreSQL and probes may use all cores.`,
        `${probes} probes, each with its own link: request it, then poll its statistics every ${pollEveryMs} ms until they include the visit. The clock runs from reading the 307 to reading the response with the visit.`,
      ],
    }
  },
}
