/** The services of a benchmark: PostgreSQL as `npm start` sets it up, two Redis instances as in production, and Hopcount. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import pg from 'pg'
import { migrateDatabase } from '../../apps/stack/migrate-database.ts'
import { freePort } from '../../apps/stack/processes/free-port.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import type { RunningApi } from '../support/hopcount.ts'
import { startApi, startWorker } from '../support/hopcount.ts'
import type { TestPostgres } from '../support/postgres.ts'
import { startPostgres } from '../support/postgres.ts'
import type { StartedProcess } from '../support/processes.ts'
import { root } from '../support/processes.ts'
import type { TestRedis } from '../support/redis.ts'
import { startRedis } from '../support/redis.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { waitUntil } from '../support/wait-until.ts'

export interface Services {
  postgres: TestPostgres
  redis: TestRedis
  cache: TestRedis
  /** Tells API and worker where the services are. */
  installation: {
    databaseUrl: string
    redisUrl: string
    env: Record<'CACHE_REDIS_URL' | 'LOG_LEVEL' | 'NODE_OPTIONS' | 'MALLOC_ARENA_MAX', string>
  }
  /** The benchmark's own database connections. */
  pool: pg.Pool
}

/** Ended by cleanUp(). */
export async function startServices(): Promise<Services> {
  const [postgres, redis, cache] = await Promise.all([
    startPostgres({ queueInPostgres: false }),
    startRedis({ appendonly: true }),
    startRedis({ policy: 'allkeys-lfu', maxmemory: '1gb' }),
  ])
  return {
    postgres,
    redis,
    cache,
    installation: installationOn(postgres.url, redis, cache),
    pool: openPool(postgres.url),
  }
}

function installationOn(databaseUrl: string, redis: TestRedis, cache: TestRedis): Services['installation'] {
  return {
    databaseUrl,
    redisUrl: redis.url,
    // The last two are those of package.json and docker/Dockerfile.
    env: {
      CACHE_REDIS_URL: cache.url,
      LOG_LEVEL: 'info',
      NODE_OPTIONS: '--max-semi-space-size=8',
      MALLOC_ARENA_MAX: '1',
    },
  }
}

/** The same servers with another, empty and migrated database. */
export async function withDatabase(services: Services, name: string): Promise<Services> {
  const admin = openPool(services.postgres.adminUrl)
  await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(name)} OWNER hopcount`)
  const url = new URL(services.postgres.url)
  url.pathname = `/${name}`
  await migrateDatabase({ databaseUrl: url.href, redisUrl: services.redis.url })
  return {
    ...services,
    installation: installationOn(url.href, services.redis, services.cache),
    pool: openPool(url.href),
  }
}

/** Without timeouts: queries here may take minutes. */
export function openPool(databaseUrl: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4, application_name: 'bench' })
  pool.on('error', () => {})
  cleanUpLater(() => pool.end())
  return pool
}

/** Runs `npm run seed`. */
export async function seed(
  services: { installation: Pick<Services['installation'], 'databaseUrl'> },
  links: number,
  visits = 0,
): Promise<void> {
  await promisify(execFile)(
    process.execPath,
    ['apps/worker/seed.ts', '--links', String(links), '--visits', String(visits)],
    { cwd: root, env: { ...process.env, DATABASE_URL: services.installation.databaseUrl } },
  )
}

export interface BenchApi extends RunningApi {
  spoolDir: string
}

/** A real API process, listening. */
export async function api(
  services: Services,
  env: Record<string, string> = {},
  spoolDir = temporaryFolder(),
): Promise<BenchApi> {
  const { installation } = services
  const started = await startApi({
    ...installation,
    spoolDir,
    port: await freePort(),
    env: { ...installation.env, ...env },
  })
  return { ...started, spoolDir }
}

/** A real worker, connected and recording. */
export function worker(services: Services, env: Record<string, string> = {}): Promise<StartedProcess> {
  const { installation } = services
  return startWorker({
    ...installation,
    env: { ...installation.env, ...env },
  })
}

/** The number of visits in the ledger. */
export async function countedVisits(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ visits: number }>(
    `SELECT ((SELECT coalesce(sum(counted), 0) FROM ledger) + (SELECT coalesce(sum(visits), 0) FROM ledger_watermarks))::bigint AS visits`,
  )
  return Number(rows[0]?.visits)
}

/** Lets a separate worker record all visits of an API that is idle, outside the measurement. */
export async function drain(services: Services, { spoolDir }: BenchApi): Promise<void> {
  const started = await worker(services)
  await waitUntil(() => segmentsIn(spoolDir).length === 0, {
    what: 'all visits are counted',
    deadlineMs: 300_000,
    everyMs: 50,
  })
  await started.stop()
}

/** Segment files of all producers, open and sealed; each is deleted when the ledger holds its batch. */
export function segmentsIn(spoolDir: string): string[] {
  return readdirSync(spoolDir, { recursive: true, encoding: 'utf8' }).filter(name =>
    /\.(open|sealed)$/.test(name),
  )
}

/** Keeps the writes of one measurement from being flushed during the next. */
export async function checkpoint(services: Services): Promise<void> {
  const client = new pg.Client({ connectionString: services.postgres.adminUrl })
  await client.connect()
  await client.query('CHECKPOINT')
  await client.end()
}
