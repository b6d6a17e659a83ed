/**
 * The HTTP application: its parts are opened in the order in which they depend on each other (open-parts.ts), and closed
 * in reverse: requests in flight are served → the open segment is sealed and delivery gets a moment → connections are closed.
 */
import type { Configuration } from '@hopcount/shared/configuration/configuration.ts'
import { listed } from '@hopcount/shared/configuration/configuration.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { addRoutes } from './add-routes.ts'
import { createClientAddresses } from './client-addresses.ts'
import { createVisitorPages } from './errors/visitor-pages.ts'
import { createFreshnessReader } from './freshness/read-freshness.ts'
import { joinMetrics } from './health/join-metrics.ts'
import { serveMetrics } from './health/serve-metrics.ts'
import { createHttpServer, drainConnections } from './http-server.ts'
import { limitConnections } from './limits/limit-connections.ts'
import {
  openCounters,
  openDatabase,
  openDatabaseWatch,
  openLinks,
  openQuota,
  openRecording,
  openStatsPools,
} from './open-parts.ts'
import { createLiveStreams } from './stats/live/live-streams.ts'
import { openBlockedFile } from './targets/blocked-file.ts'
import { createDomainRules } from './targets/domain-rules.ts'

export interface App {
  /** Rejects if a port can't be opened. */
  listen(): Promise<void>
  close(): Promise<void>
}

export async function buildApp(configuration: Configuration, log: Log): Promise<App> {
  const blockedFile =
    configuration.BLOCKED_DOMAINS_FILE === undefined
      ? undefined
      : await openBlockedFile(configuration.BLOCKED_DOMAINS_FILE, log)
  const clients = createClientAddresses(configuration.TRUST_PROXY, log)
  const pages = createVisitorPages({ name: configuration.BRAND_NAME, url: configuration.BRAND_URL })
  const app = createHttpServer(configuration, clients, pages, log)
  app.addHook('onClose', async () => blockedFile?.close())
  limitConnections(app, log)
  let stopping = false
  const streams = createLiveStreams()
  app.addHook('preClose', async () => {
    stopping = true
    streams.end()
    await drainConnections(app)
  })
  const joinedMetrics = joinMetrics()
  app.addHook('onClose', async () => joinedMetrics?.close())
  const pool = await openDatabase(app, configuration, log)
  const statsPools = openStatsPools(app, configuration)
  const { freshnessPool, ...readers } = statsPools
  const watch = await openDatabaseWatch(app, pool, log)
  const { queue, recorder, reports } = await openRecording(app, configuration, pool, watch, log)
  const hasReplica = configuration.STATS_DATABASE_URL !== undefined
  const producer = {
    producerId: recorder.producerId,
    ownPending: recorder.ownPending,
    onRead: reports.beFrequent,
  }
  const freshness = createFreshnessReader({
    ...producer,
    pool: freshnessPool,
    primary: hasReplica ? pool : undefined,
  })
  const links = openLinks(app, configuration, pool, watch, log)
  const quota = openQuota(app, pool, watch, log)
  const counters = openCounters(app, pool, log)
  let closeMetrics: (() => Promise<void>) | undefined
  app.addHook('onClose', async () => closeMetrics?.())
  const metrics = await addRoutes(app, {
    configuration,
    log,
    clients,
    pages,
    pool,
    ...readers,
    freshness,
    primaryFreshness: hasReplica
      ? createFreshnessReader({ ...producer, pool, primary: undefined })
      : freshness,
    queue,
    recorder,
    ...links,
    quota,
    domainRules: createDomainRules({
      pool,
      blocked: listed(configuration.BLOCKED_DOMAINS),
      allowed: listed(configuration.ALLOWED_DOMAINS),
      file: blockedFile,
    }),
    ...counters,
    streams,
    joinedMetrics,
    isStopping: () => stopping,
  })
  return {
    async listen() {
      const { HOST: host, PORT: port, METRICS_PORT: metricsPort } = configuration
      await app.listen({ host, port })
      // After the first: a supervisor takes a process that listens for one that serves.
      if (metricsPort !== undefined)
        closeMetrics = await serveMetrics(metrics, { host, port: metricsPort, log })
    },
    close: () => app.close(),
  }
}
