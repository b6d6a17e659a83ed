/**
 * `GET /stats` and everything below it: reports on one link or on all links together. They read aggregates; only
 * `filtered`, exports and the ends of a breakdown's range read raw visits, and only a few of those run at once.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Pool } from 'pg'
import type { FreshnessReader } from '../freshness/read-freshness.ts'
import type { LimitPerClient } from '../limits/limit-per-client.ts'
import { perMinute } from '../limits/rate-limits.ts'
import { shedLoad } from '../limits/shed-load.ts'
import type { PublicAddress } from '../links/short-urls.ts'
import { breakdownRoutes } from './breakdowns/breakdown-routes.ts'
import { rangeBreakdowns } from './breakdowns/range-breakdowns.ts'
import { exportRoutes } from './exports/export-routes.ts'
import { filteredRoutes } from './filtered/filtered-routes.ts'
import { linkStatsRoutes } from './link-stats-routes.ts'
import type { LiveOptions } from './live/live-routes.ts'
import { liveRoutes } from './live/live-routes.ts'
import { orphanRoutes } from './orphans/orphan-routes.ts'
import { createSharedResponses } from './shared-responses.ts'
import { streamingDatabaseOn } from './streaming-database.ts'
import { topLinksRoute } from './top-links/top-links-route.ts'
import { createTurns } from './turns.ts'
import { visitsRoutes } from './visits/visits-routes.ts'

/** Of the statistics' four connections, queries that may take seconds use at most two. */
const maxRawReaders = 2
const rawWaitMs = 1_000

export const statsRoutes: FastifyPluginAsyncTypebox<
  PublicAddress & {
    pool: Pool
    /** For exports only: `concurrentExports` connections, each held for as long as a client reads. */
    exportPool: Pool
    freshness: FreshnessReader
    live: LiveOptions
    limitExports: LimitPerClient
    /** Requests per minute with one key, or from one address; 0: no limit. */
    perMinute: number
  }
> = async (app, options) => {
  await shedLoad(app)
  // Bodies are serialized already; the schemas only document them, so no serializer is compiled from them.
  app.setSerializerCompiler(() => JSON.stringify)
  const rawTurns = createTurns({
    max: maxRawReaders,
    waitMs: rawWaitMs,
    refusal: 'Too many reports that read raw visits are in progress. Please try again.',
  })
  const context = {
    publicOrigin: options.publicOrigin,
    ownHosts: options.ownHosts,
    rawTurns,
    ranges: rangeBreakdowns(rawTurns),
    database: streamingDatabaseOn(options.pool),
    exportDatabase: streamingDatabaseOn(options.exportPool),
    responses: createSharedResponses(options.freshness),
    config: { access: 'stats:read', ...perMinute(options.perMinute, 'stats') } as const,
  }
  await app.register(topLinksRoute, context)
  await app.register(linkStatsRoutes, context)
  await app.register(breakdownRoutes, context)
  await app.register(filteredRoutes, context)
  await app.register(visitsRoutes, context)
  await app.register(exportRoutes, { ...context, limit: options.limitExports })
  await app.register(orphanRoutes, context)
  await app.register(liveRoutes, { ...options.live, config: context.config })
}
