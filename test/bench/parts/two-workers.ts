import type { BenchPart, BenchSettings } from '../bench-part.ts'
import { drawVisits } from '../draw-visits.ts'
import type { RecordSample } from '../record-queue.ts'
import { recordQueue } from '../record-queue.ts'
import { inTurn, ratio, summary } from '../rounds.ts'
import type { Services } from '../services.ts'
import { seed, startServices } from '../services.ts'
import type { LockWaits } from '../watch-lock-waits.ts'
import { watchLockWaits } from '../watch-lock-waits.ts'

const links = 20_000
/** Each worker spends its first seconds compiling, so the queue must last longer than that. */
const timesQueued = 4
/** With fewer, two workers and PostgreSQL compete for the same cores, so their rate says nothing about a second worker. */
const coresForTwoWorkers = 4

type Sample = RecordSample & { waits: LockWaits }

/** What limits a second worker, apart from cores: what it costs PostgreSQL, and waiting for locks of the first. */
export const twoWorkers: BenchPart = {
  title: 'Two workers compared with one, from a full queue',
  async run(settings) {
    const { queued, rounds, cores } = settings
    const services = await startServices()
    await seed(services, links)
    const visits = drawVisits(timesQueued * queued, links)
    await recordQueue(services, visits.slice(0, queued / 4), 2)
    const record = (workers: number) => async (): Promise<Sample> => {
      const stopWatching = await watchLockWaits(services.installation.databaseUrl)
      const sample = await recordQueue(services, visits, workers)
      return { ...sample, waits: await stopWatching() }
    }
    const samples = await inTurn(rounds, { 'one worker': record(1), 'two workers': record(2) })
    const { 'one worker': one, 'two workers': two } = samples
    return {
      goals: [
        ...rateGoal(settings, two, one),
        {
          what: 'CPU time of PostgreSQL per visit, two workers compared with one',
          measured: ratio(two, one, postgresCpu).median,
          must: 'at most',
          bound: 1.15,
          unit: '×',
        },
        {
          what: 'share of transactions of two workers that wait for each other’s locks',
          measured: summary(two, waitingPercent).median,
          must: 'at most',
          bound: 35,
          unit: '%',
        },
        { what: 'deadlocks', measured: await deadlocks(services), must: 'at most', bound: 0, unit: '' },
      ],
      tables: [
        {
          title: `${visits.length} visits of ${links} links drawn by Zipf’s law`,
          columns: [
            'visits/s',
            '× one worker',
            'CPU µs each, workers',
            'CPU µs each, PostgreSQL',
            'transactions under way',
            'waiting for locks, %',
          ],
          rows: Object.entries(samples).map(([what, own]) => ({
            what,
            cells: [
              summary(own, rate),
              what === 'one worker' ? '1' : ratio(own, one, rate),
              summary(own, sample => sample.workerCpuMicrosPerVisit),
              summary(own, postgresCpu),
              summary(own, ({ waits }) => waits.underWay / waits.samples),
              summary(own, waitingPercent),
            ],
          })),
        },
      ],
      plot: {
        title: 'CPU time of PostgreSQL per visit',
        unit: 'µs',
        bars: Object.entries(samples).map(([label, own]) => ({ label, value: summary(own, postgresCpu) })),
      },
      notes: [
        `Workers, PostgreSQL and Redis share all cores (${cores.all}). ${
          cores.count < coresForTwoWorkers
            ? `The rate has no goal on ${cores.count} cores: one worker and PostgreSQL already keep them busy.`
            : ''
        }`.trim(),
        'Waiting for locks: samples of pg_stat_activity every 20 ms. A worker has up to two transactions under way, so that one waits for the other even with one worker. While cores are short, a transaction that holds locks also waits for a core, and others for it: with more cores they wait less.',
        'Deadlocks are those counted by PostgreSQL since the database was created (pg_stat_database).',
      ],
    }
  },
}

function rateGoal({ cores }: BenchSettings, two: Sample[], one: Sample[]) {
  if (cores.count < coresForTwoWorkers) return []
  return [
    {
      what: 'visits/s, two workers compared with one',
      measured: ratio(two, one, rate).median,
      must: 'at least' as const,
      bound: 1.3,
      unit: '×' as const,
    },
  ]
}

function rate(sample: Sample): number {
  return sample.visitsPerSecond
}

function postgresCpu(sample: Sample): number {
  return sample.postgresCpuMicrosPerVisit
}

function waitingPercent({ waits }: Sample): number {
  return (100 * waits.waiting) / waits.underWay
}

async function deadlocks({ pool }: Services): Promise<number> {
  const { rows } = await pool.query<{ deadlocks: string }>(
    'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
  )
  return Number(rows[0]?.deadlocks)
}
