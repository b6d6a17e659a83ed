import type { BenchPart } from '../bench-part.ts'
import { pin } from '../cores.ts'
import { cpuMicros, loadTable, perSecond, throughputBars } from '../load-table.ts'
import { assertAllAnswered, wholeSeconds } from '../redirect-load.ts'
import { inTurn, ratio } from '../rounds.ts'
import { api, checkpoint, startServices } from '../services.ts'
import { load } from '../wrk.ts'
import { startYardstick } from '../yardsticks/start-yardstick.ts'

/** Group commit of new links compared with one INSERT per request. */
export const shorten: BenchPart = {
  title: 'POST /shorten compared with one INSERT per request',
  async run(settings) {
    const { cores, rounds } = settings
    const services = await startServices()
    const running = await api(services)
    const reference = await startYardstick('insert-per-request', {
      DATABASE_URL: services.installation.databaseUrl,
    })
    pin(cores, cores.server, running.process.pid, reference.process.pid)
    const measure = (origin: string, pid: number, seconds: number) => async () => {
      await checkpoint(services)
      return load({
        url: `${origin}/shorten`,
        seconds: wholeSeconds(seconds),
        cores,
        serverPids: [pid],
        script: 'shorten.lua',
      })
    }
    await measure(running.origin, running.process.pid, 2)()
    await measure(reference.origin, reference.process.pid, 2)()
    const samples = await inTurn(rounds, {
      'one INSERT per request': measure(reference.origin, reference.process.pid, settings.seconds),
      Hopcount: measure(running.origin, running.process.pid, settings.seconds),
    })
    for (const [name, own] of Object.entries(samples)) assertAllAnswered(own, name)
    return {
      goals: [
        {
          what: 'POST /shorten compared with one INSERT per request',
          measured: ratio(samples.Hopcount, samples['one INSERT per request'], perSecond).median,
          must: 'at least',
          bound: 5,
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
        loadTable('64 connections, a new URL each time', samples, 'one INSERT per request', {
          requests: 'links',
        }),
      ],
      plot: { title: 'POST /shorten', unit: 'links/s', bars: throughputBars(samples) },
      notes: [
        `The reference has the same table, indexes and URL checks and ten connections, but no validation of other fields and no notices to other processes. API and reference run on core ${cores.server}; PostgreSQL may use all cores, with fsync and synchronous_commit on. A checkpoint precedes each measurement.`,
      ],
    }
  },
}
