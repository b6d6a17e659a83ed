import { statfsSync } from 'node:fs'
import type { BenchPart } from '../bench-part.ts'
import { pin } from '../cores.ts'
import { drainedLoad } from '../drained-load.ts'
import { loadTable, perSecond, throughputBars } from '../load-table.ts'
import { assertAllAnswered } from '../redirect-load.ts'
import { inTurn, ratio } from '../rounds.ts'
import { api, seed, startServices } from '../services.ts'

/** In-memory file systems (statfs(2)), on which fdatasync does nothing. */
const inMemory = new Set([0x01021994, 0x858458f6])

/** Durability across power failures compared with durability across crashes of the process. */
export const fsync: BenchPart = {
  title: 'Redirects with SPOOL_FSYNC on compared with off',
  async run(settings) {
    const { cores, rounds } = settings
    const services = await startServices()
    await seed(services, 1)
    const off = await api(services)
    const on = await api(services, { SPOOL_FSYNC: 'on' })
    pin(cores, cores.server, services.postgres.pid, services.redis.pid, services.cache.pid)
    pin(cores, cores.server, off.process.pid, on.process.pid)
    const measure = (running: typeof on, connections: number) => () =>
      drainedLoad(settings, services, running, { links: 1, connections, seconds: settings.seconds * 0.75 })
    await measure(off, 64)()
    await measure(on, 64)()
    const samples = await inTurn(rounds, {
      'off, 64 connections': measure(off, 64),
      'on, 64 connections': measure(on, 64),
      'off, 256 connections': measure(off, 256),
      'on, 256 connections': measure(on, 256),
    })
    for (const [name, own] of Object.entries(samples)) assertAllAnswered(own, name)
    const memory = inMemory.has(statfsSync(on.spoolDir).type)
    return {
      goals: [
        {
          what: 'SPOOL_FSYNC on compared with off, 64 connections',
          measured: ratio(samples['on, 64 connections'], samples['off, 64 connections'], perSecond).median,
          must: 'at least',
          bound: 0.5,
          unit: '×',
        },
        {
          what: 'SPOOL_FSYNC on compared with off, 256 connections',
          measured: ratio(samples['on, 256 connections'], samples['off, 256 connections'], perSecond).median,
          must: 'at least',
          bound: 0.8,
          unit: '×',
        },
      ],
      tables: [loadTable('A cached link, closed loop', samples, 'off, 64 connections')],
      plot: { title: 'SPOOL_FSYNC', unit: 'requests/s', bars: throughputBars(samples) },
      notes: [
        `The spool is on ${memory ? 'an in-memory file system: fdatasync costs nothing here, and the ratios are meaningless' : 'a disk'}.`,
        'The API and its threads share their core with PostgreSQL and both Redis instances; no worker runs during measurements.',
      ],
    }
  },
}
