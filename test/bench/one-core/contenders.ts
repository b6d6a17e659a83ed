/** What runs on the one core: installations of Hopcount as `npm start` makes them, and what they are compared with. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { compareCounts } from '../../../apps/worker/verify/compare-counts.ts'
import type { TestPostgres } from '../../support/postgres.ts'
import { startRedis } from '../../support/redis.ts'
import { startStack } from '../../support/stack.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { countedVisits, openPool, seed, segmentsIn } from '../services.ts'
import { nginxVersion, startNginx } from '../yardsticks/nginx.ts'
import type { Yardstick } from '../yardsticks/start-yardstick.ts'
import { startYardstick } from '../yardsticks/start-yardstick.ts'

export const partNames = ['API', 'worker', 'PostgreSQL', 'Redis'] as const
export type PartName = (typeof partNames)[number]

export interface Contender {
  origin: string
  /** Its processes; what they start counts as well. */
  parts: Partial<Record<PartName, number[]>>
  /** Absent if it counts nothing. */
  count?: {
    visits(): Promise<number>
    /** Resolves when nothing is left to be counted. */
    settled(): Promise<unknown>
  }
}

export interface Hopcount extends Contender {
  count: NonNullable<Contender['count']>
  /** Tables that disagree with each other. */
  differences(): Promise<number>
  stop(): Promise<unknown>
}

/** All of `npm start`; with two Redis instances as in production, or with nothing else configured. */
export async function startHopcount(options: { redis: boolean; links: number }): Promise<Hopcount> {
  const folder = temporaryFolder()
  const redis = options.redis
    ? await Promise.all([
        startRedis({ appendonly: true }),
        startRedis({ policy: 'allkeys-lfu', maxmemory: '1gb' }),
      ])
    : []
  const [queue, cache] = redis
  const stack = await startStack(folder, {
    // The Host of wrk/redirects.lua.
    OWN_HOSTS: 'hop.example',
    ...(queue && { REDIS_URL: queue.url }),
    ...(cache && { CACHE_REDIS_URL: cache.url }),
  })
  await stack.waitForLine(/is ready/, 120_000)
  const databaseUrl = readFileSync(join(folder, '.data/database-url'), 'utf8').trim()
  await seed({ installation: { databaseUrl } }, options.links)
  const pool = openPool(databaseUrl)
  const pidOf = (part: string): number[] => {
    const pid = stack.parts()[part]
    if (pid === undefined) throw new Error(`the ${part} does not run`)
    return [pid]
  }
  return {
    origin: stack.address,
    parts: {
      API: pidOf('api'),
      worker: pidOf('worker'),
      PostgreSQL: pidOf('postmaster'),
      ...(options.redis && { Redis: redis.map(({ pid }) => pid) }),
    },
    count: {
      visits: () => countedVisits(pool),
      settled: () =>
        waitUntil(() => segmentsIn(join(folder, '.data/spool')).length === 0, {
          what: 'the spool is empty',
          deadlineMs: 120_000,
        }),
    },
    differences: async () => (await compareCounts(pool)).length,
    stop: () => stack.stop(),
  }
}

/** A server that counts nothing. */
export async function startBare(name: 'bare-fastify' | 'bare-node-http'): Promise<Contender> {
  const started = await startYardstick(name)
  return { origin: started.origin, parts: { API: [started.process.pid] } }
}

/** Undefined if nginx is not installed. */
export async function startBareNginx(): Promise<Contender | undefined> {
  if (nginxVersion() === undefined) return undefined
  const { origin, pid } = await startNginx()
  return { origin, parts: { API: [pid] } }
}

/** A yardstick that counts into the database. */
export async function startCounting(
  name: Yardstick,
  options: {
    postgres: TestPostgres
    links: number
    /** Reads what it has counted. */
    countVisits: string
    /** How long it may take until an answered visit is in the database. */
    lagMs: number
  },
): Promise<Contender> {
  const { postgres, links, countVisits, lagMs } = options
  const started = await startYardstick(name, { DATABASE_URL: postgres.url, LINKS: String(links) })
  const pool = openPool(postgres.url)
  return {
    origin: started.origin,
    parts: { API: [started.process.pid], PostgreSQL: [postgres.pid] },
    count: {
      async visits() {
        const { rows } = await pool.query<{ visits: string }>(countVisits)
        return Number(rows[0]?.visits)
      },
      settled: () => sleep(lagMs),
    },
  }
}
