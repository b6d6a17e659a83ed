/** Opens what the routes work with. Each part adds a hook that closes it: Fastify calls these in reverse order. */
import fastifyPostgres from '@fastify/postgres'
import { checkRedis } from '@hopcount/shared/check-redis.ts'
import type { Configuration } from '@hopcount/shared/configuration/configuration.ts'
import { directAddress, directDatabaseUrl } from '@hopcount/shared/configuration/configuration.ts'
import type { ConnectionOptions } from '@hopcount/shared/database/database.ts'
import { openPool, poolConfig } from '@hopcount/shared/database/database.ts'
import { waitForDatabase } from '@hopcount/shared/database/wait-for-database.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import { claimQueueKey } from '@hopcount/shared/visits/claim-queue-key.ts'
import { QueueUnfit } from '@hopcount/shared/visits/queue-durability.ts'
import { restoreQueueKey } from '@hopcount/shared/visits/queue-key.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import { openVisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { FastifyInstance } from 'fastify'
import type { Pool } from 'pg'
import pg from 'pg'
import { startReports } from './freshness/report-producer.ts'
import type { OwnHosts } from './hosts/own-hosts.ts'
import type { ChangeLinks } from './links/change-links.ts'
import type { LinkFields } from './links/link-fields.ts'
import { createOrphanCounter } from './orphans/count-orphans.ts'
import { createQuota } from './quota/limit-visits.ts'
import { createGoneCounter } from './redirect/count-gone.ts'
import { openResolver } from './redirect/lookup/open-resolver.ts'
import { editLinks } from './resource/edit-links.ts'
import { maxExportMs } from './stats/exports/export-stream.ts'
import { concurrentExports } from './stats/exports/open-exports.ts'
import type { DomainRules } from './targets/domain-rules.ts'
import type { TitleFetcher } from './targets/titles/title-fetcher.ts'
import type { VisitDurability } from './visits/keep-visits.ts'
import { openVisitRecorder } from './visits/record-visits.ts'
import type { DatabaseWatch } from './watch-database.ts'
import { watchDatabase } from './watch-database.ts'

/** How long a stopping process keeps delivering sealed visits; the next process adopts the rest. */
const deliverOnCloseMs = 3_000
const closeWithinMs = 1_000

export async function openDatabase(
  app: FastifyInstance,
  configuration: Configuration,
  log: Log,
): Promise<Pool> {
  const health = createHealthLog(log, 'database connection')
  const pooled = configuration.DIRECT_DATABASE_URL !== undefined
  const pool = openPool(
    poolConfig(configuration.DATABASE_URL, {
      max: 10,
      applicationName: 'hopcount api',
      statementTimeoutMs: 10_000,
      pooled,
    }),
    error => health.fails(error),
  )
  pool.on('connect', () => health.works())
  // Given our pool, as one that the plugin makes would lack our connections' settings.
  const construct = () => endsWithin(closeWithinMs, pool)
  await app.register(fastifyPostgres, { pg: { ...pg, Pool: new Proxy(pg.Pool, { construct }) } })
  await waitForDatabase(pool, { direct: directAddress(configuration) })
  return pool
}

export async function openDatabaseWatch(app: FastifyInstance, pool: Pool, log: Log): Promise<DatabaseWatch> {
  const watch = await watchDatabase(pool, log)
  app.addHook('onClose', async () => watch.close())
  return watch
}

export function openStatsPools(app: FastifyInstance, configuration: Configuration) {
  const open = (options: ConnectionOptions): Pool => {
    const url = configuration.STATS_DATABASE_URL ?? configuration.DATABASE_URL
    // The replica may be behind the pooler, too.
    const pooled = configuration.DIRECT_DATABASE_URL !== undefined
    const pool = openPool(poolConfig(url, { ...options, pooled }), () => {})
    app.addHook('onClose', () => within(closeWithinMs, pool.end()))
    return pool
  }
  return {
    statsPool: open({ max: 4, applicationName: 'hopcount statistics', statementTimeoutMs: 10_000 }),
    exportPool: open({
      max: concurrentExports,
      applicationName: 'hopcount exports',
      statementTimeoutMs: maxExportMs,
    }),
    freshnessPool: open({ max: 1, applicationName: 'hopcount freshness', statementTimeoutMs: 5_000 }),
  }
}

export async function openRecording(
  app: FastifyInstance,
  configuration: Configuration,
  pool: Pool,
  watch: DatabaseWatch,
  log: Log,
) {
  const { REDIS_URL: redisUrl, SPOOL_DIR: spoolDir } = configuration
  const databaseUrl = directDatabaseUrl(configuration)
  const { CACHE_REDIS_URL: cacheUrl } = configuration
  if (redisUrl !== undefined) await checkRedis({ url: redisUrl, name: 'REDIS_URL' }, log)
  if (cacheUrl !== undefined) await checkRedis({ url: cacheUrl, name: 'CACHE_REDIS_URL' }, log)
  const key = redisUrl === undefined ? await claimQueueKey(pool, spoolDir) : undefined
  const queue = openVisitQueue({ redisUrl, databaseUrl }, log, key, {
    replicas: configuration.QUEUE_REPLICAS,
    fsync: configuration.QUEUE_FSYNC === 'on',
  })
  app.addHook('onClose', () => within(closeWithinMs, queue.close()))
  const durability = visitDurability(configuration)
  if (durability !== 'spool') await refuseUnfitQueue(queue)
  const recorder = await openVisitRecorder({
    spoolDir,
    fsync: configuration.SPOOL_FSYNC === 'on',
    allowLoss: configuration.VISIT_LOSS === 'allow',
    durability,
    keepMs: configuration.SPOOL_KEEP_SECONDS * 1_000,
    maxKeptBytes: configuration.SPOOL_KEEP_MB * 1024 * 1024,
    onFolderRestored: () => key && restoreQueueKey(spoolDir, key),
    queue,
    pool,
    watch,
    log,
  })
  const reports = await startReports({ recorder, pool, watch, spoolDir: configuration.SPOOL_DIR, log })
  app.addHook('onClose', () => within(closeWithinMs, reports.close()))
  app.addHook('onClose', () => recorder.close(deliverOnCloseMs))
  return { queue, recorder, reports }
}

function visitDurability({ VISIT_DURABILITY: place }: Configuration): VisitDurability {
  return place === 'queue' || place === 'both' ? place : 'spool'
}

/** A Redis that is away at the start is looked at before the first visit. */
async function refuseUnfitQueue(queue: VisitQueue): Promise<void> {
  try {
    await queue.ready()
    await queue.checkDurability()
  } catch (error) {
    if (error instanceof QueueUnfit) throw error
  }
}

export function openLinks(
  app: FastifyInstance,
  configuration: Configuration,
  pool: Pool,
  watch: DatabaseWatch,
  log: Log,
) {
  const { close, ...links } = openResolver({
    pool,
    watch,
    databaseUrl: directDatabaseUrl(configuration),
    cacheUrl: cacheUrlOf(configuration),
    maxLinks: configuration.CACHE_MAX_LINKS,
    maxOutageMs: configuration.STALE_LINKS_SECONDS * 1_000,
    log,
  })
  app.addHook('onClose', () => within(closeWithinMs, close()))
  return links
}

export function openQuota(app: FastifyInstance, pool: Pool, watch: DatabaseWatch, log: Log) {
  const quota = createQuota({ pool, watch, log })
  app.addHook('onClose', () => within(closeWithinMs, quota.close()))
  return quota
}

/** Loaded only where it is wanted: its HTML parser takes time and memory. */
export async function openTitleFetcher(
  app: FastifyInstance,
  parts: {
    configuration: Configuration
    ownHosts: OwnHosts
    domainRules: DomainRules
    changeLinks: ChangeLinks
    log: Log
  },
): Promise<TitleFetcher | undefined> {
  const { configuration, ownHosts, domainRules, changeLinks, log } = parts
  if (!configuration.FETCH_TITLES) return undefined
  const { createTitleFetcher } = await import('./targets/titles/title-fetcher.ts')
  const titles = createTitleFetcher({
    ownHosts,
    allowPrivateTargets: configuration.ALLOW_PRIVATE_TARGETS,
    domainRules,
    log,
    async setTitle({ slug, longUrl }, title) {
      const change = (before: LinkFields) =>
        before.title === null && before.longUrl === longUrl ? { ...before, title } : before
      await editLinks(changeLinks, { keyId: undefined, via: 'api' }, [{ slug, change }])
    },
  })
  app.addHook('onClose', async () => titles.close())
  return titles
}

export function openCounters(app: FastifyInstance, pool: Pool, log: Log) {
  const orphans = createOrphanCounter({ pool, log })
  app.addHook('onClose', () => within(closeWithinMs, orphans.close()))
  const gone = createGoneCounter({ pool, log })
  app.addHook('onClose', () => within(closeWithinMs, gone.close()))
  return { orphans, gone }
}

export function cacheUrlOf(configuration: Configuration): string | undefined {
  return configuration.CACHE_REDIS_URL ?? configuration.REDIS_URL
}

/** The plugin waits until its pool has ended. */
function endsWithin(milliseconds: number, pool: Pool): Pool {
  const end = pool.end.bind(pool)
  const endInTime = (done?: () => void) => within(milliseconds, end()).then(done)
  return Object.assign(pool, { end: endInTime })
}

/** Bounds the wait for a connection that hangs while it closes. */
async function within(milliseconds: number, closing: Promise<void>): Promise<void> {
  await Promise.race([
    closing.catch(() => {}),
    new Promise<void>(resolve => setTimeout(resolve, milliseconds).unref()),
  ])
}
