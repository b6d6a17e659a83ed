/**
 * `GET /stats/:slug` and `GET /stats/overall`: totals, a series, and for a link its 20 newest visits. They read only
 * aggregates and those 20 rows, so their time does not grow with the number of visits.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { allLinks } from '@hopcount/shared/all-links.ts'
import { Type } from 'typebox'
import { problemResponses } from '../errors/problem.ts'
import { linkOrigin } from '../links/short-urls.ts'
import { countsOf } from './counts.ts'
import type { Totals } from './link-stats-queries.ts'
import { createLinkCounter, linkTotals, overallTotals } from './link-stats-queries.ts'
import type { LinkStatsQuery } from './link-stats-schema.ts'
import { LinkStatsQuerySchema, LinkStatsSchema, OverallStatsSchema } from './link-stats-schema.ts'
import { bucketsBefore } from './series/buckets-before.ts'
import { readSeries } from './series/read-series.ts'
import { readSeriesRange } from './series/series-range.ts'
import {
  linkLifetimeMs,
  listLifetimeMs,
  notModified,
  refusals,
  responseHeaderSchemas,
} from './shared-responses.ts'
import type { StatsContext } from './stats-context.ts'
import { checkSubjectSlug, noSuchLink } from './subject.ts'
import { visitDescriber } from './visits/describe-visit.ts'
import { newestVisits } from './visits/visits-queries.ts'

const overallSchema = {
  operationId: 'overallStats',
  summary: 'The statistics of all links together',
  querystring: LinkStatsQuerySchema,
  response: {
    200: { ...OverallStatsSchema, description: 'totals and series', headers: responseHeaderSchemas },
    304: notModified,
    ...problemResponses(refusals),
  },
}

const linkSchema = {
  operationId: 'linkStats',
  summary: 'The statistics of a link',
  params: Type.Object({ slug: Type.String() }),
  querystring: LinkStatsQuerySchema,
  response: {
    200: {
      ...LinkStatsSchema,
      description: 'totals, series and latest visits',
      headers: responseHeaderSchemas,
    },
    304: notModified,
    ...problemResponses({ 404: 'no such link', ...refusals }),
  },
}

const recentLimit = 20

export const linkStatsRoutes: FastifyPluginAsyncTypebox<StatsContext> = async (
  app,
  { database, responses, config, ...address },
) => {
  const countLinks = createLinkCounter(database)

  app.get('/stats/overall', { config, schema: overallSchema }, (request, reply) => {
    const { buckets, before } = readBuckets(request.query)
    return responses.send(request, reply, {
      key: `overall ${request.url}`,
      lifetimeMs: listLifetimeMs,
      async make() {
        const [totals, links, series] = await Promise.all([
          overallTotals(database),
          countLinks(),
          readSeries(database, allLinks, buckets, before),
        ])
        return { body: JSON.stringify({ ...describeTotals(totals), links, ...series }) }
      },
    })
  })

  app.get('/stats/:slug', { config, schema: linkSchema }, (request, reply) => {
    const { slug } = request.params
    checkSubjectSlug(slug)
    const { buckets, before } = readBuckets(request.query)
    const origin = linkOrigin(address, request)
    return responses.send(request, reply, {
      key: `link ${origin} ${request.url}`,
      lifetimeMs: linkLifetimeMs,
      async make() {
        const totals = await linkTotals(database, slug)
        if (totals === undefined) throw noSuchLink()
        const [series, recent, describe] = await Promise.all([
          readSeries(database, totals.linkId, buckets, before),
          newestVisits(database, totals.linkId, recentLimit),
          visitDescriber(),
        ])
        return {
          body: JSON.stringify({
            slug: totals.slug,
            short_url: `${origin}/${totals.slug}`,
            long_url: totals.longUrl,
            created_at: totals.createdAt,
            expires_at: totals.expiresAt,
            state: totals.state,
            deleted_at: totals.deletedAt,
            gone_requests: totals.goneRequests,
            ...describeTotals(totals),
            ...series,
            recent: recent.map(describe),
          }),
        }
      },
    })
  })
}

function readBuckets(query: LinkStatsQuery) {
  const now = new Date()
  const buckets = readSeriesRange(query, now)
  const { compare, tz } = query
  return { buckets, before: compare && bucketsBefore(buckets, compare, tz, now) }
}

function describeTotals(totals: Totals) {
  return {
    ...countsOf(totals),
    uniques: totals.uniques,
    misdated: totals.misdated,
    first_visit: totals.firstVisit,
    last_visit: totals.lastVisit,
  }
}
