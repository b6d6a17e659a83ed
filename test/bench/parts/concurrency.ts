import type { BenchPart } from '../bench-part.ts'
import { pin } from '../cores.ts'
import { drainedLoad } from '../drained-load.ts'
import { cpuMicros, loadTable, perSecond, throughputBars } from '../load-table.ts'
import { assertAllAnswered } from '../redirect-load.ts'
import { inTurn, ratio } from '../rounds.ts'
import { api, seed, startServices } from '../services.ts'

/** Two API processes sharing a port, compared with one. */
export const concurrency: BenchPart = {
  title: 'WEB_CONCURRENCY=2 compared with 1',
  async run(settings) {
    const { cores, rounds } = settings
    const services = await startServices()
    await seed(services, 1)
    const one = await api(services)
    const two = await api(services, { WEB_CONCURRENCY: '2' })
    pin(cores, cores.server, services.postgres.pid, services.redis.pid, services.cache.pid)
    const spare = cores.count > 2
    const measure = (running: typeof one) => () =>
      drainedLoad(settings, services, running, { links: 1, connections: 128 })
    await measure(one)()
    await measure(two)()
    const samples = await inTurn(rounds, { 'one process': measure(one), 'two processes': measure(two) })
    for (const [name, own] of Object.entries(samples)) assertAllAnswered(own, name)
    const throughput = ratio(samples['two processes'], samples['one process'], perSecond).median
    return {
      goals: [
        {
          what: 'CPU time per redirect, two processes compared with one',
          measured: ratio(samples['two processes'], samples['one process'], cpuMicros).median,
          must: 'at most',
          bound: 1.1,
          unit: '×',
        },
        ...(spare
          ? [
              {
                what: 'redirects/s, two processes compared with one',
                measured: throughput,
                must: 'at least' as const,
                bound: 1.7,
                unit: '×' as const,
              },
            ]
          : []),
      ],
      tables: [loadTable('A cached link, 128 connections', samples, 'one process')],
      plot: { title: 'WEB_CONCURRENCY', unit: 'requests/s', bars: throughputBars(samples) },
      notes: [
        `The API processes may use all cores (${cores.all}), the generator runs on core ${cores.generator}, PostgreSQL and both Redis instances on core ${cores.server}.`,
        'CPU time is that of the serving processes and their supervisor.',
        ...(spare
          ? []
          : [
              'Throughput has no goal here: with two cores the second process shares its core with the generator. When processes wait for the generator, fewer redirects share an event-loop turn, and each one costs more.',
            ]),
      ],
    }
  },
}
