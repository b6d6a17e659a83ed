import type { Goal, Table } from '../bench-part.ts'
import { cpuMicros, perSecond } from '../load-table.ts'
import { ratio, summary } from '../rounds.ts'
import type { PartName } from './contenders.ts'
import { partNames } from './contenders.ts'
import type { BurstSample } from './measure-burst.ts'
import type { FreshnessSample } from './measure-freshness.ts'

export const names = {
  fastify: 'bare Fastify',
  node: 'bare node:http',
  inMemory: 'count in memory',
  insert: 'INSERT per visit',
  redis: 'Hopcount, Redis queue',
  plain: 'Hopcount, npm start',
} as const

type Samples = Record<string, BurstSample[]>

/** Goals for one mix of links. */
export function burstGoals(mix: string, samples: Samples): Goal[] {
  const of = (name: string) => samples[name] ?? []
  const atLeast = (what: string, own: string, base: string, bound: number): Goal => ({
    what: `${mix}: ${what}`,
    measured: ratio(of(own), of(base), perSecond).median,
    must: 'at least',
    bound,
    unit: '×',
  })
  const countedAfter = (name: string): Goal => ({
    what: `${mix}: ${name}, all counted after the burst`,
    measured: summary(of(name), countedAfterSeconds).median,
    must: 'at most',
    bound: 2,
    unit: 's',
  })
  return [
    atLeast('redirects/s, Redis queue compared with bare Fastify', names.redis, names.fastify, 0.75),
    atLeast('redirects/s, npm start compared with bare Fastify', names.plain, names.fastify, 0.6),
    atLeast('redirects/s, npm start compared with the Redis queue', names.plain, names.redis, 0.8),
    countedAfter(names.redis),
    countedAfter(names.plain),
    {
      what: `${mix}: CPU time of worker and PostgreSQL compared with the API’s, Redis queue`,
      measured: summary(of(names.redis), recordingShare).median,
      must: 'at most',
      bound: 1,
      unit: '×',
    },
    ...(samples[names.node] === undefined
      ? []
      : [
          {
            what: `${mix}: CPU time of the API per redirect compared with bare node:http, Redis queue`,
            measured: ratio(of(names.redis), of(names.node), cpuMicros).median,
            must: 'at most' as const,
            bound: 1.15,
            unit: '×' as const,
          },
        ]),
  ]
}

function recordingShare({ cpuMicrosOf }: BurstSample): number {
  return (cpuMicrosOf.worker + cpuMicrosOf.PostgreSQL) / cpuMicrosOf.API
}

function countedAfterSeconds({ countedAfterMs }: BurstSample): number {
  return countedAfterMs / 1_000
}

/** Throughput of each contender, how soon it has counted, and the CPU time per redirect of each of its parts. */
export function burstTable(title: string, samples: Samples): Table {
  const against = (own: BurstSample[], base: string) => ratio(own, samples[base] ?? [], perSecond)
  return {
    title,
    columns: [
      'redirects/s',
      `× ${names.fastify}`,
      `× ${names.inMemory}`,
      'counted after s',
      ...partNames.map(name => `${name} µs`),
      'all parts µs',
      'p50 ms',
      'p99 ms',
    ],
    rows: Object.entries(samples).map(([what, own]) => ({
      what,
      cells: [
        summary(own, perSecond),
        what === names.fastify ? '1' : against(own, names.fastify),
        what === names.inMemory ? '1' : against(own, names.inMemory),
        own.some(sample => Number.isFinite(sample.countedAfterMs)) ? summary(own, countedAfterSeconds) : '',
        ...partNames.map(name => cpuCell(own, name)),
        summary(own, sample => partNames.reduce((sum, name) => sum + sample.cpuMicrosOf[name], 0)),
        summary(own, sample => sample.p50Ms),
        summary(own, sample => sample.p99Ms),
      ],
    })),
  }
}

/** Empty for a part that the contender doesn't have. */
function cpuCell(samples: BurstSample[], name: PartName) {
  const cpu = summary(samples, sample => sample.cpuMicrosOf[name])
  return cpu.max > 0 ? cpu : ''
}

export function freshnessTable(samples: Record<string, FreshnessSample[]>): Table {
  return {
    title: 'Redirect → visible in /stats/:slug, at half the rate of the second table',
    columns: ['redirects/s', 'p50 ms', 'p99 ms', 'longest ms', 'probes'],
    rows: Object.entries(samples).map(([what, own]) => ({
      what,
      cells: [
        summary(own, sample => sample.perSecond),
        summary(own, sample => sample.p50Ms),
        summary(own, sample => sample.p99Ms),
        summary(own, sample => sample.longestMs),
        summary(own, sample => sample.seen),
      ],
    })),
  }
}

export function freshnessGoal(what: string, samples: FreshnessSample[]): Goal {
  return {
    what: `${what}, redirect → visible at half load, p99`,
    measured: summary(samples, sample => sample.p99Ms).median,
    must: 'at most',
    bound: 1_000,
    unit: 'ms',
  }
}
