/**
 * `GET /stats` and what lies below: reports of one link or of all together. They read aggregates; only `filtered` and
 * exports read raw visits, a few at a time.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Pool } from 'pg'
import { perMinute } from '../limits/rate-limits.ts'
import { shedLoad } from '../limits/shed-load.ts'
import type { PendingVisits } from '../visits/record-visits.ts'
import { breakdownRoutes } from './breakdowns/breakdown-routes.ts'
import { exportRoutes } from './exports/export-routes.ts'
import { filteredRoutes } from './filtered/filtered-routes.ts'
import { linkStatsRoutes } from './link-stats-routes.ts'
import type { LiveParts } from './live/live-routes.ts'
import { liveRoutes } from './live/live-routes.ts'
import { orphanRoutes } from './orphans/orphan-routes.ts'
import { createSharedAnswers } from './shared-responses.ts'
import { streamingDatabaseOn } from './streaming-database.ts'
import { topLinksRoute } from './top-links/top-links-route.ts'
import { visitsRoutes } from './visits/visits-routes.ts'

export const statsRoutes: FastifyPluginAsyncTypebox<{
  pool: Pool
  /** For exports alone: `exportsAtATime` connections, each kept for as long as a client reads. */
  exportPool: Pool
  pending: () => PendingVisits
  live: LiveParts
  /** Requests that one public address may make per minute; 0: no limit. */
  perMinute: number
}> = async (app, options) => {
  await shedLoad(app)
  // Answers are sent as text: no code needs to be made of their schemas, which only describe them.
  app.setSerializerCompiler(() => JSON.stringify)
  const context = {
    database: streamingDatabaseOn(options.pool),
    exportDatabase: streamingDatabaseOn(options.exportPool),
    answers: createSharedAnswers(options.pending),
    config: perMinute(options.perMinute, 'stats'),
  }
  await app.register(topLinksRoute, context)
  await app.register(linkStatsRoutes, context)
  await app.register(breakdownRoutes, context)
  await app.register(filteredRoutes, context)
  await app.register(visitsRoutes, context)
  await app.register(exportRoutes, context)
  await app.register(orphanRoutes, context)
  await app.register(liveRoutes, { ...options.live, config: context.config })
}
