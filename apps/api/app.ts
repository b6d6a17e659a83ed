/**
 * The HTTP application, put together in the order in which its parts need each other, and closed in reverse:
 * no new requests → requests in flight answered → open segment sealed and delivered for a moment → connections.
 */
import cluster from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import fastifyPostgres from '@fastify/postgres'
import type { Configuration } from '@hopcount/shared/configuration.ts'
import { openPool, poolConfig, waitForDatabase } from '@hopcount/shared/database/database.ts'
import { databaseOn } from '@hopcount/shared/database/query-builder.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import { openVisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import Fastify, { LogController } from 'fastify'
import { createClientAddresses } from './client-addresses.ts'
import { dashboardRoutes } from './dashboard/dashboard-routes.ts'
import { documentRoutes } from './docs/openapi.ts'
import {
  answerFrameworkError,
  answerMalformed,
  installErrorHandlers,
  refuseOtherMethods,
} from './errors/error-handlers.ts'
import { ProblemSchema } from './errors/problem.ts'
import { createApiMetrics } from './health/api-metrics.ts'
import { healthRoutes } from './health/health-routes.ts'
import { limitRates } from './limits/rate-limits.ts'
import { createLinkCreator } from './links/create-links.ts'
import { listenForLinkChanges } from './links/link-changes.ts'
import { shortenRoute } from './links/shorten-route.ts'
import { createOrphanCounter } from './orphans/count-orphans.ts'
import { createKnownSlugs } from './redirect/known-slugs.ts'
import { openLinkCache } from './redirect/link-cache.ts'
import { redirectRoutes } from './redirect/redirect-route.ts'
import { createSlugResolver } from './redirect/resolve-slug.ts'
import { parseBodies } from './request-bodies.ts'
import { exportsAtATime } from './stats/exports/export-routes.ts'
import { maxExportMs } from './stats/exports/export-stream.ts'
import { liveCounts } from './stats/live/live-queries.ts'
import { createLiveSource } from './stats/live/live-source.ts'
import { createLiveStreams } from './stats/live/live-streams.ts'
import { statsRoutes } from './stats/stats-routes.ts'
import { openVisitRecorder } from './visits/record-visits.ts'

/** How long a stopping process goes on handing over sealed visits; what is left is adopted by the next process. */
const deliverOnCloseMs = 3_000

/**
 * How long a stopping process still accepts and answers, each answer with `Connection: close`. One of several that are
 * replaced in turn is in no hurry, and the longer it waits, the fewer clients come back to a connection as it is closed.
 */
const answerOnCloseMs = cluster.isWorker ? 2_000 : 500

export async function buildApp(configuration: Configuration, log: Log): Promise<FastifyInstance> {
  const clients = createClientAddresses(configuration.TRUST_PROXY, log)
  const app = Fastify({
    // One log for all requests, given here and below instead of as `loggerInstance`: Fastify then makes no logger of its
    // own for each, and waits for no answer's end to log it. Measured in turn, three runs: a redirect takes 2, 10 and
    // 11 % less CPU time.
    childLoggerFactory: () => log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: configuration.TRUST_PROXY === undefined ? false : clients.trusts,
    bodyLimit: 8 * 1024,
    routerOptions: { maxParamLength: 512 },
    exposeHeadRoutes: false,
    // A stopping process still answers what reaches it on open connections: nobody is refused in a rolling restart.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    requestTimeout: 10_000,
    http: { headersTimeout: 10_000, maxHeaderSize: 16 * 1024, connectionsCheckingInterval: 1_000 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerMalformed,
  })
  app.log = log as FastifyBaseLogger
  let stopping = false
  const streams = createLiveStreams()
  app.addHook('preClose', async () => {
    stopping = true
    streams.end()
    await lastAnswers(app, answerOnCloseMs)
  })

  const databaseHealth = createHealthLog(log, 'database connection')
  await app.register(
    fastifyPostgres,
    poolConfig(configuration.DATABASE_URL, {
      max: 10,
      applicationName: 'hopcount api',
      statementTimeoutMs: 10_000,
    }),
  )
  const { pool } = app.pg
  pool.on('error', error => databaseHealth.fails(error))
  pool.on('connect', () => databaseHealth.works())
  await waitForDatabase(pool)
  const statsPool = openPool(
    poolConfig(configuration.STATS_DATABASE_URL ?? configuration.DATABASE_URL, {
      max: 4,
      applicationName: 'hopcount statistics',
      statementTimeoutMs: 10_000,
    }),
    () => {},
  )
  app.addHook('onClose', () => statsPool.end())
  const exportPool = openPool(
    poolConfig(configuration.STATS_DATABASE_URL ?? configuration.DATABASE_URL, {
      max: exportsAtATime,
      applicationName: 'hopcount exports',
      statementTimeoutMs: maxExportMs,
    }),
    () => {},
  )
  app.addHook('onClose', () => exportPool.end())

  const queue = openVisitQueue(
    {
      redisUrl: configuration.REDIS_URL,
      databaseUrl: configuration.DATABASE_URL,
      spoolDir: configuration.SPOOL_DIR,
    },
    log,
  )
  app.addHook('onClose', () => within(1_000, queue.close()))
  const recorder = await openVisitRecorder({
    spoolDir: configuration.SPOOL_DIR,
    fsync: configuration.SPOOL_FSYNC === 'on',
    allowLoss: configuration.VISIT_LOSS === 'allow',
    queue,
    pool,
    log,
  })
  app.addHook('onClose', () => recorder.close(deliverOnCloseMs))

  const cacheUrl = configuration.CACHE_REDIS_URL ?? configuration.REDIS_URL
  const linkCache = cacheUrl === undefined ? undefined : openLinkCache(cacheUrl, log)
  app.addHook('onClose', async () => linkCache?.close())
  const known = createKnownSlugs({ pool, log, catchUp: () => changes.catchUp() })
  const resolver = createSlugResolver({
    pool,
    linkCache,
    known,
    maxLinks: configuration.CACHE_MAX_LINKS,
    hearsChanges: () => changes.isListening(),
  })
  const changes = listenForLinkChanges({
    databaseUrl: configuration.DATABASE_URL,
    log,
    onChange: slugCreated,
    onGap() {
      known.discard()
      resolver.forgetAbsent()
    },
    onListening: known.read,
  })
  function slugCreated(slug: string): void {
    known.add(slug)
    resolver.forget(slug)
  }
  app.addHook('onClose', () => within(1_000, changes.close()))
  const orphans = createOrphanCounter({ pool, log })
  app.addHook('onClose', () => within(1_000, orphans.close()))

  parseBodies(app)
  installErrorHandlers(app)
  app.addSchema(ProblemSchema)
  const routes = collectRoutes(app)
  app.addHook('onClose', await limitRates(app, { redisUrl: cacheUrl, clients, log }))
  await documentRoutes(app)
  const reserved: ReadonlySet<string> = routes.reserved
  await app.register(shortenRoute, {
    createLink: createLinkCreator({ pool, reserved }),
    slugCreated,
    reserved,
    publicUrl: configuration.PUBLIC_URL,
    allowPrivateTargets: configuration.ALLOW_PRIVATE_TARGETS,
    perMinute: configuration.RATE_LIMIT_WRITES,
  })
  const liveSource = createLiveSource({
    query: (linkIds, now) => liveCounts(databaseOn(statsPool), linkIds, now),
    recordedUpTo: () => recorder.pending().recordedUpTo,
    log,
  })
  await app.register(statsRoutes, {
    pool: statsPool,
    exportPool,
    pending: recorder.pending,
    live: {
      streams,
      source: liveSource,
      findLink: async slug => resolver.cached(slug) ?? resolver.resolve(slug),
    },
    perMinute: configuration.RATE_LIMIT_STATS,
  })
  await app.register(dashboardRoutes)
  healthRoutes(app, {
    pool,
    metrics: createApiMetrics(recorder, queue),
    isStopping: () => stopping,
    warnings: () => [clients.warning()].filter(warning => warning !== undefined),
  })
  redirectRoutes(app, { resolver, recorder, orphans, clients })
  refuseOtherMethods(app, structuredClone(routes.methods))
  return app
}

/** Notes each route as it is added: which methods an address takes, and which words can't be slugs. */
function collectRoutes(app: FastifyInstance) {
  const methods = new Map<string, Set<string>>()
  const reserved = new Set<string>()
  /** By what stands before it in an address: the words that come next, and whether a slug does. */
  const places = new Map<string, { words: Set<string>; isSlug: boolean }>()
  app.addHook('onRoute', route => {
    const known = methods.get(route.url) ?? new Set()
    for (const method of [route.method].flat()) known.add(method)
    methods.set(route.url, known)
    const segments = route.url.split('/').slice(1)
    for (const [i, segment] of segments.entries()) {
      const before = segments.slice(0, i).join('/')
      const place = places.get(before) ?? { words: new Set(), isSlug: false }
      places.set(before, place)
      if (segment === ':slug') place.isSlug = true
      else if (/^[^:*]/.test(segment)) place.words.add(segment.toLowerCase())
      // A slug of that word would be taken for the route.
      if (place.isSlug) for (const word of place.words) reserved.add(word)
    }
  })
  return { methods, reserved }
}

/**
 * A connection that is closed while its client sends the next request cuts that request off. So each one is told with
 * an answer that it ends here (Fastify does so from now on), and only those left over, idle for that long, are closed.
 */
async function lastAnswers(app: FastifyInstance, milliseconds: number): Promise<void> {
  const deadline = Date.now() + milliseconds
  while (Date.now() < deadline && (await openConnections(app)) > 0) await sleep(20)
}

function openConnections(app: FastifyInstance): Promise<number> {
  return new Promise(resolve => app.server.getConnections((_error, count) => resolve(count ?? 0)))
}

/** Closing a connection that hangs must not keep the process from ending. */
async function within(milliseconds: number, closing: Promise<void>): Promise<void> {
  await Promise.race([
    closing.catch(() => {}),
    new Promise<void>(resolve => setTimeout(resolve, milliseconds).unref()),
  ])
}
