/**
 * `GET /stats/:slug` and `GET /stats/overall`: totals, a series, and of a link the 20 newest visits. They read
 * aggregates (and those 20 rows) only, so their time does not grow with the number of visits.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { allLinks } from '@hopcount/shared/all-links.ts'
import { Type } from 'typebox'
import { problemResponses } from '../errors/problem.ts'
import { countsOf, countsProperties } from './counts.ts'
import type { Totals } from './link-stats-queries.ts'
import { createLinkCounter, linkTotals, overallTotals } from './link-stats-queries.ts'
import { readSeries, seriesAnswerProperties } from './series/read-series.ts'
import type { SeriesQuery } from './series/series-range.ts'
import { bucketsBefore, compareProperty, readSeriesRange, seriesProperties } from './series/series-range.ts'
import {
  answerHeaderSchemas,
  linkLifetimeMs,
  listLifetimeMs,
  notModified,
  refusals,
} from './shared-responses.ts'
import type { StatsContext } from './stats-context.ts'
import { checkSubjectSlug, noSuchLink } from './subject.ts'
import { visitDescriber, visitProperties } from './visits/describe-visit.ts'
import { newestVisits } from './visits/visits-queries.ts'

const QuerySchema = Type.Object({ ...seriesProperties, ...compareProperty }, { additionalProperties: false })

const time = Type.String({ format: 'date-time' })
const nullableTime = Type.Union([time, Type.Null()])

const totalsProperties = {
  ...countsProperties,
  uniques: Type.Integer({ description: 'people, each once per link and UTC day, of all time' }),
  first_visit: nullableTime,
  last_visit: nullableTime,
}

const LinkStatsSchema = Type.Object({
  slug: Type.String(),
  long_url: Type.String(),
  created_at: time,
  expires_at: nullableTime,
  ...totalsProperties,
  ...seriesAnswerProperties,
  recent: Type.Array(Type.Object(visitProperties), { description: 'the latest 20 visits, newest first' }),
})

const OverallStatsSchema = Type.Object({
  ...totalsProperties,
  links: Type.Integer({ description: 'links that there are' }),
  ...seriesAnswerProperties,
})

const recentLimit = 20

export const linkStatsRoutes: FastifyPluginAsyncTypebox<StatsContext> = async (
  app,
  { database, answers, config },
) => {
  const countLinks = createLinkCounter(database)

  app.get(
    '/stats/overall',
    {
      config,
      schema: {
        operationId: 'overallStats',
        summary: 'The statistics of all links together',
        querystring: QuerySchema,
        response: {
          200: { ...OverallStatsSchema, description: 'totals and series', headers: answerHeaderSchemas },
          304: notModified,
          ...problemResponses(refusals),
        },
      },
    },
    (request, reply) => {
      const { buckets, before } = readBuckets(request.query)
      return answers.send(request, reply, {
        key: `overall ${request.url}`,
        lifetimeMs: listLifetimeMs,
        async make() {
          const [totals, links, series] = await Promise.all([
            overallTotals(database),
            countLinks(),
            readSeries(database, allLinks, buckets, before),
          ])
          return { body: JSON.stringify({ ...totalsAnswer(totals), links, ...series }) }
        },
      })
    },
  )

  app.get(
    '/stats/:slug',
    {
      config,
      schema: {
        operationId: 'linkStats',
        summary: 'The statistics of a link',
        params: Type.Object({ slug: Type.String() }),
        querystring: QuerySchema,
        response: {
          200: {
            ...LinkStatsSchema,
            description: 'totals, series and latest visits',
            headers: answerHeaderSchemas,
          },
          304: notModified,
          ...problemResponses({ 404: 'no such link', ...refusals }),
        },
      },
    },
    (request, reply) => {
      const { slug } = request.params
      checkSubjectSlug(slug)
      const { buckets, before } = readBuckets(request.query)
      return answers.send(request, reply, {
        key: `link ${request.url}`,
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
              long_url: totals.longUrl,
              created_at: totals.createdAt,
              expires_at: totals.expiresAt,
              ...totalsAnswer(totals),
              ...series,
              recent: recent.map(describe),
            }),
          }
        },
      })
    },
  )
}

function readBuckets(query: SeriesQuery & { compare?: 'previous' }) {
  const now = new Date()
  const buckets = readSeriesRange(query, now)
  return {
    buckets,
    before: query.compare === undefined ? undefined : bucketsBefore(buckets, query.tz, now),
  }
}

function totalsAnswer(totals: Totals) {
  return {
    ...countsOf(totals),
    uniques: totals.uniques,
    first_visit: totals.firstVisit,
    last_visit: totals.lastVisit,
  }
}
