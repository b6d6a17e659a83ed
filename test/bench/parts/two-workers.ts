import type { BenchPart } from '../bench-part.ts'
import { drawVisits } from '../draw-visits.ts'
import type { RecordSample } from '../record-queue.ts'
import { recordQueue } from '../record-queue.ts'
import { inTurn, ratio, summary } from '../rounds.ts'
import { seed, startServices } from '../services.ts'

const links = 20_000
/** Each worker spends its first seconds compiling, so the queue must last longer than that. */
const timesQueued = 4

/** Two workers on one queue are faster than one, without deadlocks. */
export const twoWorkers: BenchPart = {
  title: 'Two workers compared with one, from a full queue',
  async run({ rounds, queued, cores }) {
    const services = await startServices()
    await seed(services, links)
    const visits = drawVisits(timesQueued * queued, links)
    await recordQueue(services, visits.slice(0, queued / 4), 2)
    const deadlocks = async () => {
      const { rows } = await services.pool.query<{ deadlocks: string }>(
        'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
      )
      return Number(rows[0]?.deadlocks)
    }
    const samples = await inTurn(rounds, {
      'one worker': () => recordQueue(services, visits, 1),
      'two workers': () => recordQueue(services, visits, 2),
    })
    const rate = (sample: RecordSample) => sample.visitsPerSecond
    return {
      goals: [
        {
          what: 'visits/s, two workers compared with one',
          measured: ratio(samples['two workers'], samples['one worker'], rate).median,
          must: 'at least',
          bound: 1.3,
          unit: '×',
        },
        { what: 'deadlocks', measured: await deadlocks(), must: 'at most', bound: 0, unit: '' },
      ],
      tables: [
        {
          title: `${queued} visits of ${links} links drawn by Zipf’s law`,
          columns: ['visits/s', '× one worker', 'CPU µs each, workers', 'CPU µs each, PostgreSQL'],
          rows: Object.entries(samples).map(([what, own]) => ({
            what,
            cells: [
              summary(own, rate),
              what === 'one worker' ? '1' : ratio(own, samples['one worker'], rate),
              summary(own, sample => sample.workerCpuMicrosPerVisit),
              summary(own, sample => sample.postgresCpuMicrosPerVisit),
            ],
          })),
        },
      ],
      plot: {
        title: 'Two workers compared with one',
        unit: 'visits/s',
        bars: Object.entries(samples).map(([label, own]) => ({ label, value: summary(own, rate) })),
      },
      notes: [
        `Workers, PostgreSQL and Redis share all cores (${cores.all}); one worker already keeps more than one core busy, which limits what a second can add.`,
        'Deadlocks are those counted by PostgreSQL since the database was created (pg_stat_database).',
      ],
    }
  },
}
