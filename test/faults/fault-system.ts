/** One Hopcount for one row: PostgreSQL and Redis, a TCP proxy before each where asked for, real API and worker processes. */
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import pg from 'pg'
import { openLog } from '../../apps/shared/log.ts'
import { migrateQueueTables } from '../../apps/shared/visits/queue-in-postgres.ts'
import type { VisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import { openVisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import type { RunningApi } from '../support/hopcount.ts'
import { openPool, shorten, startApi, startWorker, visit } from '../support/hopcount.ts'
import type { TestPostgres } from '../support/postgres.ts'
import { startPostgres } from '../support/postgres.ts'
import type { StartedProcess } from '../support/processes.ts'
import type { TestRedis } from '../support/redis.ts'
import { startRedis } from '../support/redis.ts'
import type { ProxyMode, TcpProxy } from '../support/tcp-proxy.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { waitUntil } from '../support/wait-until.ts'
import { startPostgresIn } from './postgres-in-folder.ts'

export interface SystemOptions {
  /** A server of the row's own, to be hurt; with a path, its data lies there. */
  ownPostgres?: boolean | string
  /** The URL of a server that the row has started, and hurts itself. */
  databaseUrl?: string
  /** Proxies between API and worker on one side, PostgreSQL and Redis on the other. */
  proxied?: boolean
  /** No Redis: PostgreSQL carries the queue. */
  queueInPostgres?: boolean
  /** A Redis of its own for the cache, behind the proxy `apiCache`. */
  cacheRedis?: boolean
  workers?: number
  apis?: number
  links?: number
  spoolDir?: string
  apiEnv?: Record<string, string>
  workerEnv?: Record<string, string>
  /** The most file descriptors that API and worker may each have open. */
  descriptors?: number
  /** Only the services; the row starts API and workers itself. */
  partsLater?: boolean
}

export interface Proxies {
  apiPostgres: TcpProxy
  workerPostgres: TcpProxy
  apiRedis: TcpProxy
  workerRedis: TcpProxy
}

export interface FaultSystem {
  databaseUrl: string
  /** The test's own way to the database, past the proxies. */
  pool: pg.Pool
  /** As the superuser, in the database `postgres` of the same server; undefined for a shared server. */
  asAdmin(statement: string): Promise<void>
  postgres: TestPostgres
  redis: TestRedis
  proxies: Proxies
  cacheProxy: TcpProxy
  queue: VisitQueue
  spoolDir: string
  slugs: string[]
  apis: RunningApi[]
  workers: StartedProcess[]
  /** The API under load: the last started of those in `apis`. */
  api(): RunningApi
  origin(): string
  startApi(env?: Record<string, string>, port?: number): Promise<RunningApi>
  startWorker(env?: Record<string, string>): Promise<StartedProcess>
  /** Every process started so far, in that order. */
  processes: StartedProcess[]
  /** Makes links and follows each once. */
  prepareLinks(count: number): Promise<string[]>
  segments(): string[]
}

export async function startFaultSystem(
  options: SystemOptions,
  newDatabase: () => Promise<string>,
): Promise<FaultSystem> {
  const own = await startOwnPostgres(options.ownPostgres)
  const databaseUrl = options.databaseUrl ?? own?.url ?? (await newDatabase())
  const redis = options.queueInPostgres ? undefined : await startRedis({ appendonly: true })
  if (redis === undefined) await migrateQueueTables(databaseUrl)
  const cache = options.cacheRedis ? await startRedis({ policy: 'allkeys-lfu' }) : undefined
  const proxies = options.proxied ? await startProxies(databaseUrl, present(redis, 'Redis')) : undefined
  const cacheProxy = cache && (await startTcpProxy({ port: cache.port }))
  const spoolDir = options.spoolDir ?? temporaryFolder()
  const pool = openPool(databaseUrl)
  const queue = openVisitQueue(
    { redisUrl: redis?.url, databaseUrl },
    openLog({ name: 'test', level: 'silent' }),
  )
  cleanUpLater(() => queue.close())
  const processes: StartedProcess[] = []
  const apis: RunningApi[] = []
  const workers: StartedProcess[] = []

  const through = (url: string, proxy: TcpProxy | undefined) => {
    const way = new URL(url)
    if (proxy !== undefined) way.port = String(proxy.port)
    return way.href
  }

  async function startApiHere(env: Record<string, string> = {}, port?: number): Promise<RunningApi> {
    const api = await startApi({
      databaseUrl: through(databaseUrl, proxies?.apiPostgres),
      redisUrl: redis && through(redis.url, proxies?.apiRedis),
      spoolDir,
      descriptors: options.descriptors,
      env: {
        ...(cacheProxy && { CACHE_REDIS_URL: `redis://127.0.0.1:${cacheProxy.port}` }),
        ...options.apiEnv,
        ...env,
      },
      ...(port !== undefined && { port }),
    })
    apis.push(api)
    processes.push(api.process)
    return api
  }

  async function startWorkerHere(env: Record<string, string> = {}): Promise<StartedProcess> {
    const worker = await startWorker({
      databaseUrl: through(databaseUrl, proxies?.workerPostgres),
      redisUrl: redis && through(redis.url, proxies?.workerRedis),
      ...(redis === undefined && { spoolDir }),
      descriptors: options.descriptors,
      env: { ...options.workerEnv, ...env },
    })
    workers.push(worker)
    processes.push(worker)
    return worker
  }

  function api(): RunningApi {
    const last = apis.at(-1)
    if (last === undefined) throw new Error('no API process was started')
    return last
  }

  async function prepareLinks(count: number): Promise<string[]> {
    const slugs: string[] = []
    for (let made = 0; made < count; made += 100) {
      const some = Math.min(100, count - made)
      slugs.push(...(await Promise.all(Array.from({ length: some }, () => shorten(api().origin)))))
    }
    for (const slug of slugs) await visit(api().origin, slug)
    return slugs
  }

  async function asAdmin(statement: string): Promise<void> {
    if (own === undefined) throw new Error('the row shares its PostgreSQL server')
    const client = new pg.Client({ connectionString: own.adminUrl })
    client.on('error', () => {})
    await client.connect()
    try {
      await client.query(statement)
    } finally {
      await client.end()
    }
  }

  const system: FaultSystem = {
    databaseUrl,
    pool,
    asAdmin,
    queue,
    spoolDir,
    apis,
    workers,
    processes,
    slugs: [],
    api,
    origin: () => api().origin,
    startApi: startApiHere,
    startWorker: startWorkerHere,
    prepareLinks,
    segments: () =>
      readdirSync(spoolDir, { recursive: true, encoding: 'utf8' }).filter(name =>
        /\.(open|sealed)$/.test(name),
      ),
    get redis() {
      return present(redis, 'Redis')
    },
    get postgres() {
      return present(own, 'PostgreSQL')
    },
    get proxies() {
      return present(proxies, 'proxies')
    },
    get cacheProxy() {
      return present(cacheProxy, 'cache')
    },
  }
  if (!options.partsLater) {
    for (let i = 0; i < (options.apis ?? 1); i++) await startApiHere()
    for (let i = 0; i < (options.workers ?? 1); i++) await startWorkerHere()
    system.slugs.push(...(await prepareLinks(options.links ?? 5)))
  }
  return system
}

async function startOwnPostgres(own: boolean | string | undefined): Promise<TestPostgres | undefined> {
  if (!own) return undefined
  return own === true ? startPostgres({ queueInPostgres: false }) : startPostgresIn(own)
}

async function startProxies(databaseUrl: string, redis: TestRedis): Promise<Proxies> {
  const postgresPort = Number(new URL(databaseUrl).port)
  return {
    apiPostgres: await startTcpProxy({ port: postgresPort }),
    workerPostgres: await startTcpProxy({ port: postgresPort }),
    apiRedis: await startTcpProxy({ port: redis.port }),
    workerRedis: await startTcpProxy({ port: redis.port }),
  }
}

function present<T>(part: T | undefined, name: string): T {
  if (part === undefined) throw new Error(`the row asked for no ${name} of its own`)
  return part
}

/** Passes again, over new connections: what a broken network swallowed does not come back on the old ones. */
export function healProxy(proxy: TcpProxy): void {
  proxy.cutConnections()
  proxy.setMode('pass')
}

/** Changes the mode at the COMMIT of a transaction that records visits, before it is forwarded. */
export async function setModeAtCommit(workerPostgres: TcpProxy, mode: ProxyMode): Promise<void> {
  await workerPostgres.setModeAt('enter-ledger', 'pass')
  // With the byte that ends a message: BEGIN says READ COMMITTED.
  await workerPostgres.setModeAt('COMMIT\0', mode)
}

/** How many batches these workers were given that had been counted already. */
export async function duplicateBatches(workers: StartedProcess[]): Promise<number> {
  let sum = 0
  for (const worker of workers)
    sum += await metric(await workerMetrics(worker), 'hopcount_duplicate_batches_total')
  return sum
}

/** A slug that nobody has made. */
export const unknownSlug = () => `none-${randomBytes(8).toString('hex')}`

/** The value of a metric without labels, or the sum over its labels. */
export async function metric(url: string, name: string): Promise<number> {
  const response = await fetch(url)
  const lines = (await response.text())
    .split('\n')
    .filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** A worker's own `/metrics`. */
export async function workerMetrics(worker: StartedProcess): Promise<string> {
  const line = await worker.waitForLine(/recording visits/)
  return `http://127.0.0.1:${/"metricsPort":(\d+)/.exec(line)?.[1]}/metrics`
}

/** Ends all workers when nothing is left for them: a job counted but not acknowledged would wait for ever. */
export async function stopIdleWorkers(system: FaultSystem): Promise<void> {
  await waitUntilIdle(system)
  for (const worker of system.workers.splice(0)) await worker.stop()
}

/** Waits until nothing is under way any more: no segment in the spool, no job that is not failed for good. */
export async function waitUntilIdle(system: FaultSystem, deadlineMs = 60_000): Promise<void> {
  await waitUntil(
    async () => {
      const { waiting, active, delayed } = await system.queue.counts()
      return system.segments().length === 0 && waiting + active + delayed === 0
    },
    { what: 'spool and queue are empty', deadlineMs, everyMs: 100 },
  ).catch(async error => {
    const counts = await system.queue.counts().catch(String)
    const left = { segments: system.segments().slice(0, 10), counts }
    throw new Error(`${error.message}: ${JSON.stringify(left)}`, { cause: error })
  })
}
