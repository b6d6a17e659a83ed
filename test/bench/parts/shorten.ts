import type { BenchPart } from '../bench-part.ts'
import { pin } from '../cores.ts'
import { cpuMicros, loadTable, perSecond, throughputBars } from '../load-table.ts'
import { assertAllAnswered, wholeSeconds } from '../redirect-load.ts'
import { inTurn, ratio } from '../rounds.ts'
import { api, checkpoint, startServices } from '../services.ts'
import { load } from '../wrk.ts'
import type { RunningYardstick } from '../yardsticks/start-yardstick.ts'
import { startYardstick } from '../yardsticks/start-yardstick.ts'

/**
 * Until its functions are compiled, a creation takes up to three times the CPU time, a quarter of it in V8's own threads:
 * 143 µs in the first 9,000 requests, 50 after 63,000.
 */
const warmUpRequests = 60_000
const maxWarmUpLoads = 8

/** Creation compared with a server that does nothing but read the request. One INSERT per request is for information. */
export const shorten: BenchPart = {
  title: 'POST /shorten compared with a bare Fastify that validates the same body and stores nothing',
  async run(settings) {
    const { cores, rounds } = settings
    const services = await startServices()
    const running = await api(services)
    const bare = await startYardstick('bare-shorten')
    const single = await startYardstick('insert-per-request', {
      DATABASE_URL: services.installation.databaseUrl,
    })
    const contenders = { 'bare Fastify': bare, 'one INSERT per request': single, Hopcount: running }
    pin(cores, cores.server, ...Object.values(contenders).map(each => each.process.pid))
    const measure =
      ({ origin, process }: RunningYardstick, seconds = settings.seconds) =>
      async () => {
        await checkpoint(services)
        return load({
          url: `${origin}/shorten`,
          seconds: wholeSeconds(seconds),
          cores,
          serverPids: [process.pid],
          script: 'shorten.lua',
        })
      }
    for (const each of Object.values(contenders)) {
      let warm = 0
      for (let loads = 0; warm < warmUpRequests && loads < maxWarmUpLoads; loads++)
        warm += (await measure(each, Math.min(2, settings.seconds))()).requests
    }
    const samples = await inTurn(rounds, {
      'bare Fastify': measure(bare),
      'one INSERT per request': measure(single),
      Hopcount: measure(running),
    })
    for (const [name, own] of Object.entries(samples)) assertAllAnswered(own, name)
    return {
      goals: [
        {
          what: 'POST /shorten compared with a bare Fastify that stores nothing',
          measured: ratio(samples.Hopcount, samples['bare Fastify'], perSecond).median,
          must: 'at least',
          bound: 0.7,
          unit: '×',
        },
        {
          what: 'CPU time of the API per link compared with a bare Fastify that stores nothing',
          measured: ratio(samples.Hopcount, samples['bare Fastify'], cpuMicros).median,
          must: 'at most',
          bound: 1.43,
          unit: '×',
        },
        {
          what: 'CPU time of the API per link compared with one INSERT per request',
          measured: ratio(samples.Hopcount, samples['one INSERT per request'], cpuMicros).median,
          must: 'at most',
          bound: 1,
          unit: '×',
        },
      ],
      tables: [
        loadTable('64 connections, a new URL each time', samples, 'bare Fastify', { requests: 'links' }),
      ],
      plot: { title: 'POST /shorten', unit: 'links/s', bars: throughputBars(samples) },
      notes: [
        `Bare Fastify parses and validates the same body, checks no URL, stores nothing, and sends a response of the same size. One INSERT per request has the same table, indexes and URL checks and ten connections, but no validation of other fields and no notices to other processes. All three run on core ${cores.server}; PostgreSQL may use all cores, with fsync and synchronous_commit on: with two cores it takes some of the API's, so the rate says less about the API than its CPU time does. A checkpoint precedes each measurement.`,
      ],
    }
  },
}
