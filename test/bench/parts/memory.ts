import { Redis } from 'ioredis'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import type { BenchPart, BenchSettings } from '../bench-part.ts'
import { pin } from '../cores.ts'
import { fillSpool } from '../fill-spool.ts'
import { watchMemory } from '../process-usage.ts'
import { loadRedirects } from '../redirect-load.ts'
import type { Services } from '../services.ts'
import { api, seed, segmentsIn, startServices, worker } from '../services.ts'
import type { Summary } from '../summary.ts'

/** Resident memory does not grow with the backlog. */
export const memory: BenchPart = {
  title: 'Resident memory at full load, with nothing and with millions of visits waiting',
  async run(settings) {
    const { waiting } = settings
    const links = Math.min(settings.links, 200_000)
    const services = await startServices()
    await seed(services, links)
    const recordingLive = await atFullLoad(settings, services, links)
    const spoolDir = temporaryFolder()
    settings.say(`writing ${waiting} waiting visits`)
    await fillSpool(spoolDir, waiting, links)
    const segments = segmentsIn(spoolDir).length
    const backlogged = await withBacklog(settings, services, links, spoolDir)
    const millions = `${(waiting / 1e6).toLocaleString('en-US')} million visits waiting`
    const rows = [
      { what: 'full load, worker recording', api: recordingLive.api, worker: recordingLive.worker },
      { what: `full load, no worker, ${millions}`, api: backlogged.withoutWorker, worker: undefined },
      { what: `full load, a worker on ${millions}`, api: backlogged.withWorker, worker: backlogged.worker },
    ]
    return {
      goals: rows.flatMap(row => [
        {
          what: `API: ${row.what}`,
          measured: row.api.max,
          must: 'at most' as const,
          bound: 200,
          unit: 'MB' as const,
        },
        ...(row.worker === undefined
          ? []
          : [
              {
                what: `worker: ${row.what}`,
                measured: row.worker.max,
                must: 'at most' as const,
                bound: 250,
                unit: 'MB' as const,
              },
            ]),
      ]),
      tables: [
        {
          title: 'Resident memory, MB: median and range of samples every 100 ms; goals apply to the maximum',
          columns: ['API', 'worker'],
          rows: rows.map(row => ({ what: row.what, cells: [row.api, row.worker] })),
        },
      ],
      plot: {
        title: 'Resident memory',
        unit: 'MB',
        bars: rows.flatMap(row => [
          { label: `API: ${row.what.slice(0, 28)}`, value: row.api },
          ...(row.worker === undefined
            ? []
            : [{ label: `worker: ${row.what.slice(0, 26)}`, value: row.worker }]),
        ]),
      },
      notes: [
        `Load: 64 connections over ${links} links drawn by Zipf’s law, mixed user agents and referrers, each for twice the length of a round; new processes for each row except the last, whose API is that of the row above.`,
        `The waiting visits are in ${segments} segments of a process that no longer runs; they were written by the spool’s own code and are adopted at start. The queue’s Redis used ${backlogged.redisMegabytes.toFixed(1)} MB meanwhile.`,
      ],
    }
  },
}

async function atFullLoad(settings: BenchSettings, services: Services, links: number) {
  const running = await api(services)
  const recording = await worker(services)
  pin(settings.cores, settings.cores.server, running.process.pid)
  const watchApi = watchMemory(running.process.pid)
  const watchWorker = watchMemory(recording.pid)
  await loadFully(settings, running.origin, running.process.pid, links)
  const measured = { api: watchApi(), worker: watchWorker() }
  await running.process.stop()
  await recording.stop()
  return measured
}

interface Backlogged {
  withoutWorker: Summary
  withWorker: Summary
  worker: Summary
  redisMegabytes: number
}

async function withBacklog(
  settings: BenchSettings,
  services: Services,
  links: number,
  spoolDir: string,
): Promise<Backlogged> {
  const running = await api(services, {}, spoolDir)
  const { pid } = running.process
  pin(settings.cores, settings.cores.server, pid)
  const watchAlone = watchMemory(pid)
  await loadFully(settings, running.origin, pid, links)
  const withoutWorker = watchAlone()
  const redisMegabytes = await usedMegabytes(services)
  const recording = await worker(services)
  const watchApi = watchMemory(pid)
  const watchWorker = watchMemory(recording.pid)
  await loadFully(settings, running.origin, pid, links)
  const measured = { withoutWorker, withWorker: watchApi(), worker: watchWorker(), redisMegabytes }
  recording.kill('SIGKILL')
  running.process.kill('SIGKILL')
  return measured
}

function loadFully(settings: BenchSettings, origin: string, pid: number, links: number) {
  return loadRedirects(
    settings,
    { origin, pids: [pid] },
    { links, visitors: 'mix', seconds: settings.seconds * 2 },
  )
}

async function usedMegabytes({ redis }: Services): Promise<number> {
  const client = new Redis(redis.url)
  const info = await client.info('memory')
  await client.quit()
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]) / 1e6
}
