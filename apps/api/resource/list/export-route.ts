/** `GET /api/links/export`: the list of links as a file, with the search and filters of the list, newest first. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { databaseOn } from '@hopcount/shared/database/query-builder.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { actorOf, allows } from '../../access/actor.ts'
import { problemResponses } from '../../errors/problem.ts'
import { perMinute } from '../../limits/rate-limits.ts'
import { linkOrigin, ownHostCheck } from '../../links/short-urls.ts'
import { countsOf } from '../../stats/counts.ts'
import { excelRows, localDays } from '../../stats/exports/excel-rows.ts'
import {
  exportContent,
  exportContentTypes,
  fileEndings,
  formatProperties,
} from '../../stats/exports/export-formats.ts'
import { exportStream } from '../../stats/exports/export-stream.ts'
import { createExports } from '../../stats/exports/open-exports.ts'
import { readTimeZone } from '../../stats/series/series-range.ts'
import { zoneProperty } from '../../stats/series/series-schema.ts'
import type { LinkContext } from '../link-context.ts'
import { describeLink, readRows } from '../link-rows.ts'
import type { LinkResource } from '../link-schema.ts'
import { refusals } from '../route-schemas.ts'
import type { ListFilter } from './list-conditions.ts'
import { readCounts } from './list-counts.ts'
import { findLinks } from './list-queries.ts'
import { readFilter } from './list-request.ts'
import { filterProperties } from './list-schema.ts'

const ExportQuerySchema = Type.Object(
  { ...filterProperties, ...formatProperties, ...zoneProperty },
  { additionalProperties: false },
)

/** Few enough not to block redirects. Each chunk is read by itself, so a slow client holds no connection. */
const chunkLinks = 250

const linkColumns = [
  ...['slug', 'short_url', 'long_url', 'title', 'tags', 'note', 'state'],
  ...['created_at', 'valid_from', 'expires_at', 'max_visits'],
]
const visitColumns = ['visits', 'humans', 'bots', 'previews', 'uniques', 'last_visit']

export const exportRoute: FastifyPluginAsyncTypebox<LinkContext> = async (app, context) => {
  const { pool } = context
  const database = databaseOn(pool)
  const openExport = createExports(app)

  app.get(
    '/api/links/export',
    {
      config: { access: 'links:read', ...perMinute(context.readsPerMinute, 'stats') },
      schema: {
        operationId: 'exportLinks',
        summary: 'The links of a list as a file',
        description:
          'A stream, newest first; visits are of all time, and only for those who may read statistics. Clients that read nothing for 30 s, or take longer than 15 minutes, are disconnected.',
        querystring: ExportQuerySchema,
        response: {
          200: {
            description: 'an attachment',
            headers: { 'content-disposition': { type: 'string' } },
            content: exportContent,
          },
          ...problemResponses(refusals),
        },
      },
    },
    async (request, reply) => {
      const { query } = request
      const { format } = query
      const zone = readTimeZone(query.tz)
      const filter = readFilter(query, ownHostCheck(context, request))
      context.limitExports(request, reply as FastifyReply)
      const hasStats = allows(actorOf(request), 'stats:read')
      const rows = {
        columns: hasStats ? [...linkColumns, ...visitColumns] : linkColumns,
        chunks: links(request, filter, hasStats),
      }
      const { stream } = await openExport(async () => ({
        stream: await exportStream(format === 'excel' ? excelRows(rows, zone) : rows, query),
      }))
      const now = new Date()
      const [day] = localDays({ from: now, to: now }, zone)
      reply.headers({
        'cache-control': 'no-store',
        'content-disposition': `attachment; filename="links-${day}.${fileEndings[format]}"`,
        'x-content-type-options': 'nosniff',
      })
      return (reply as FastifyReply).type(exportContentTypes[format]).send(stream)
    },
  )

  async function* links(request: FastifyRequest, filter: ListFilter, hasStats: boolean) {
    const [origin, actor, isText] = [
      linkOrigin(context, request),
      actorOf(request),
      (request.query as { format: string }).format !== 'ndjson',
    ]
    for (let after: number | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
      const { ids, next } = await findLinks(pool, { ...filter, sort: 'newest', limit: chunkLinks, after })
      const rows = ids.length === 0 ? [] : await readRows(pool, ids)
      const counts = hasStats
        ? await readCounts(database, ids, { sort: 'visits', window: undefined })
        : undefined
      yield rows.map(row => {
        const counted = counts?.get(row.id) ?? { visits: 0, bots: 0, previews: 0, uniques: 0 }
        const link = {
          ...describeLink(row, origin, actor),
          ...(hasStats && { ...countsOf(counted), uniques: counted.uniques }),
        }
        return isText ? flat(link) : link
      })
      after = next
    }
  }
}

function flat(link: LinkResource): object {
  return { ...link, tags: link.tags.join(', ') }
}
