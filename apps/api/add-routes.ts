/** All routes of the application, with the hooks, parsers and limits that apply to them. */
import type { Configuration } from '@hopcount/shared/configuration/configuration.ts'
import { listed } from '@hopcount/shared/configuration/configuration.ts'
import { databaseOn } from '@hopcount/shared/database/query-builder.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { describeSetAside } from '@hopcount/shared/visits/set-aside-counts.ts'
import { describeSilent } from '@hopcount/shared/visits/silent-producers.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { FastifyInstance } from 'fastify'
import type { Pool } from 'pg'
import { identityOf } from './access/actor.ts'
import { openAccess } from './access/open-access.ts'
import { auditRoute } from './audit/audit-route.ts'
import type { ClientAddresses } from './client-addresses.ts'
import { collectRoutes } from './collect-routes.ts'
import { dashboardRoutes } from './dashboard/dashboard-routes.ts'
import { documentRoutes } from './docs/openapi.ts'
import { installErrorHandlers, refuseOtherMethods } from './errors/error-handlers.ts'
import { ProblemSchema } from './errors/problem-schema.ts'
import type { VisitorPages } from './errors/visitor-pages.ts'
import type { FreshnessReader } from './freshness/read-freshness.ts'
import { watchSilent } from './freshness/watch-silent.ts'
import type { ApiMetrics } from './health/api-metrics.ts'
import { createApiMetrics } from './health/api-metrics.ts'
import { healthRoutes } from './health/health-routes.ts'
import type { JoinedMetrics } from './health/join-metrics.ts'
import { watchSetAside } from './health/watch-set-aside.ts'
import { createHostHeaderCheck, refuseBadHosts } from './hosts/host-header.ts'
import { collectOwnHosts } from './hosts/own-hosts.ts'
import { createHostCheck } from './hosts/rebound-hosts.ts'
import { listenBefore } from './http-server.ts'
import { createOnceWith } from './idempotency/create-once.ts'
import { keyRoutes } from './keys/key-routes.ts'
import { sessionRoutes } from './keys/session-routes.ts'
import type { LimitPerClient } from './limits/limit-per-client.ts'
import { limitPerClient } from './limits/limit-per-client.ts'
import { limitRates } from './limits/rate-limits.ts'
import type { ChangeLinks } from './links/change-links.ts'
import { createLinkCreator } from './links/create-links.ts'
import type { LinkChanges } from './links/link-changes.ts'
import { reservedSlugs } from './links/reserved-slugs.ts'
import type { PublicAddress } from './links/short-urls.ts'
import { cacheUrlOf, openTitleFetcher } from './open-parts.ts'
import type { OrphanCounter } from './orphans/count-orphans.ts'
import type { Quota } from './quota/limit-visits.ts'
import type { GoneCounter } from './redirect/count-gone.ts'
import { createLoopCheck } from './redirect/detect-loops.ts'
import { createFastPath } from './redirect/fast-path.ts'
import type { SlugResolver } from './redirect/lookup/resolve-slug.ts'
import { createPreview } from './redirect/preview/send-preview.ts'
import { redirectRoutes } from './redirect/redirect-route.ts'
import { parseBodies } from './request-bodies.ts'
import { resourceRoutes } from './resource/resource-routes.ts'
import { liveCounts } from './stats/live/live-queries.ts'
import { createLiveSource } from './stats/live/live-source.ts'
import type { LiveStreams } from './stats/live/live-streams.ts'
import { maxStreamsPerClient } from './stats/live/live-streams.ts'
import { statsRoutes } from './stats/stats-routes.ts'
import type { DomainRules } from './targets/domain-rules.ts'
import type { VisitRecorder } from './visits/record-visits.ts'

/** What the routes work with. */
export interface Parts {
  configuration: Configuration
  log: Log
  clients: ClientAddresses
  pages: VisitorPages
  pool: Pool
  statsPool: Pool
  exportPool: Pool
  freshness: FreshnessReader
  /** The same of the primary. */
  primaryFreshness: FreshnessReader
  queue: VisitQueue
  recorder: VisitRecorder
  resolver: SlugResolver
  slugCreated: (slug: string) => void
  domainRules: DomainRules
  changes: LinkChanges
  changeLinks: ChangeLinks
  quota: Quota
  orphans: OrphanCounter
  gone: GoneCounter
  streams: LiveStreams
  joinedMetrics: JoinedMetrics | undefined
  isStopping: () => boolean
}

/** Routes come last: hooks, parsers and limits only apply to routes that are added after them. */
export async function addRoutes(app: FastifyInstance, parts: Parts): Promise<ApiMetrics> {
  const { configuration, log, clients, pages, pool, queue, recorder, resolver, slugCreated, changeLinks } =
    parts
  const checkHost = createHostHeaderCheck()
  refuseBadHosts(app, checkHost)
  parseBodies(app)
  installErrorHandlers(app, pages)
  app.addSchema(ProblemSchema)
  const routes = collectRoutes(app, [...reservedSlugs, ...listed(configuration.RESERVED_SLUGS)])
  const ownHosts = collectOwnHosts(app, {
    publicUrl: configuration.PUBLIC_URL,
    hosts: listed(configuration.OWN_HOSTS),
  })
  const publicAddress = {
    publicOrigin: configuration.PUBLIC_URL && new URL(configuration.PUBLIC_URL).origin,
    ownHosts,
  }
  const hostCheck = createHostCheck(ownHosts, clients)
  const access = openAccess(app, { configuration, pool, changes: parts.changes, ownHosts, hostCheck })
  const closeLimits = await limitRates(app, {
    redisUrl: cacheUrlOf(configuration),
    clients,
    keyOf: request => identityOf(request).key,
    exemptLocal: access.access === 'open',
    log,
  })
  app.addHook('onClose', closeLimits)
  await documentRoutes(app)
  const reserved: ReadonlySet<string> = routes.reserved
  const createOnce = createOnceWith({ pool, clients })
  const limitExports = limitPerClient(clients, {
    max: 1,
    refusal: 'Another export from this address is in progress. Please try again when it has ended.',
  })
  await app.register(resourceRoutes, {
    pool,
    freshness: parts.primaryFreshness,
    links: createLinkCreator({ pool, reserved }),
    changeLinks,
    createOnce,
    slugCreated,
    reserved,
    ...publicAddress,
    allowPrivateTargets: configuration.ALLOW_PRIVATE_TARGETS,
    domainRules: parts.domainRules,
    titles: await openTitleFetcher(app, { ...parts, ownHosts, changeLinks }),
    writesPerMinute: configuration.RATE_LIMIT_WRITES,
    readsPerMinute: configuration.RATE_LIMIT_STATS,
    limitExports,
  })
  await app.register(auditRoute, { pool, readsPerMinute: configuration.RATE_LIMIT_STATS })
  await app.register(keyRoutes, { pool, createOnce, store: access.store })
  await app.register(sessionRoutes, { pool, ...access, ...publicAddress })
  await addStatsRoutes(app, parts, publicAddress, limitExports)
  await app.register(dashboardRoutes)
  const prefetches = { refused: 0 }
  const silent = watchSilent(pool, log)
  const setAside = watchSetAside({ pool, queue, recorder })
  const metrics = createApiMetrics(recorder, queue, prefetches, silent, setAside, parts.joinedMetrics)
  healthRoutes(app, {
    pool,
    metrics: configuration.METRICS_PORT === undefined ? metrics : undefined,
    isStopping: parts.isStopping,
    async warnings() {
      const proxy = clients.warning()
      const [silentNow, setAsideNow] = await Promise.all([silent(), setAside()])
      return [
        ...(proxy === undefined ? [] : [proxy]),
        ...silentNow.map(describeSilent),
        ...describeSetAside(setAsideNow),
      ]
    },
  })
  const isLoop = createLoopCheck(ownHosts, routes.words, clients)
  const fastPath = createFastPath({
    ordinary: app.routing,
    resolver,
    recorder,
    clients,
    checkHost,
    isLoop,
    isStopping: parts.isStopping,
    routes: routes.words,
  })
  listenBefore(app, fastPath.listener)
  redirectRoutes(app, {
    resolver,
    recorder,
    quota: parts.quota,
    orphans: parts.orphans,
    gone: parts.gone,
    prefetches,
    clients,
    pages,
    sendPreview: createPreview({ pool, pages, ...publicAddress }),
    isLoop,
    failureOf: fastPath.failureOf,
    routes: routes.words,
  })
  refuseOtherMethods(app, structuredClone(routes.methods), pages)
  return metrics
}

async function addStatsRoutes(
  app: FastifyInstance,
  { configuration, log, clients, statsPool, exportPool, freshness, resolver, streams }: Parts,
  publicAddress: PublicAddress,
  limitExports: LimitPerClient,
): Promise<void> {
  const source = createLiveSource({
    query: (linkIds, now) => liveCounts(databaseOn(statsPool), linkIds, now),
    freshness,
    log,
  })
  await app.register(statsRoutes, {
    ...publicAddress,
    pool: statsPool,
    exportPool,
    freshness,
    live: {
      streams,
      source,
      findLink: async slug => resolver.cached(slug) ?? resolver.resolve(slug),
      limit: limitPerClient(clients, {
        max: maxStreamsPerClient,
        refusal: 'There are too many live streams from this address already.',
      }),
    },
    limitExports,
    perMinute: configuration.RATE_LIMIT_STATS,
  })
}
