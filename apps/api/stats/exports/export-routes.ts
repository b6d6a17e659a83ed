/** `GET /stats/:slug/export` and `GET /stats/overall/export`: series, breakdowns and raw visits as files. */
import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { problemResponses } from '../../errors/problem.ts'
import type { LimitPerClient } from '../../limits/limit-per-client.ts'
import type { RangeBreakdowns } from '../breakdowns/range-breakdowns.ts'
import { tooLongDescription } from '../raw/count-filtered.ts'
import { readFilters } from '../raw/filters.ts'
import { readSeriesRange } from '../series/series-range.ts'
import { freshnessHeaderSchemas, refusals } from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import type { Subject } from '../subject.ts'
import { findSubject, reportPaths, slugOf } from '../subject.ts'
import { createTurns } from '../turns.ts'
import type { ExportRows } from './export-rows.ts'
import { breakdownRows, seriesRows, visitRows } from './export-rows.ts'
import type { ExportQuery } from './export-schema.ts'
import { ExportQuerySchema } from './export-schema.ts'
import { exportStream } from './export-stream.ts'

const contentTypes = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson; charset=utf-8' }

export interface ExportContext extends StatsContext {
  /** Has connections of its own, `concurrentExports` of them: a slow client holds one for as long as it reads. */
  exportDatabase: Database
  ranges: RangeBreakdowns
  limit: LimitPerClient
}

export const concurrentExports = 2

export const exportRoutes: FastifyPluginAsyncTypebox<ExportContext> = async (
  app,
  { database, exportDatabase, ranges, responses, limit, config },
) => {
  const turns = createTurns({
    max: concurrentExports,
    waitMs: 0,
    refusal: 'Other exports are in progress. Please try again in a moment.',
  })
  const open = new Set<Readable>()
  // An unfinished file is cut off. The client notices, since the last chunk is missing.
  app.addHook('preClose', async () => {
    for (const stream of open) stream.destroy(new Error('the process is stopping'))
  })

  for (const { url, id, of, schema, notFound } of reportPaths('export')) {
    app.get(
      url,
      {
        config,
        schema: {
          operationId: `${id}Export`,
          summary: `The statistics of ${of} as a file`,
          description:
            'A stream. Clients that read nothing for 30 s, or take longer than 15 minutes, are disconnected.',
          ...schema,
          querystring: ExportQuerySchema,
          response: {
            200: {
              description: 'an attachment',
              headers: { ...freshnessHeaderSchemas, 'content-disposition': { type: 'string' } },
              content: {
                'text/csv': { schema: Type.String() },
                'application/x-ndjson': { schema: Type.String() },
              },
            },
            ...problemResponses({ ...notFound, 422: tooLongDescription, ...refusals }),
          },
        },
      },
      async (request, reply) => {
        const { what, format } = request.query
        const freshness = await responses.freshness()
        const readRows = rowsReader(request.query, new Date(), ranges)
        const subject = await findSubject(database, slugOf(request))
        limit(request, reply as FastifyReply)
        const endTurn = await turns.take()
        const { rows, stream } = await readRows(exportDatabase, subject)
          .then(async rows => ({ rows, stream: await exportStream(rows, format) }))
          .catch(error => {
            endTurn()
            throw error
          })
        const name = [subject.slug ?? 'overall', what, ...(rows.widenedTo ?? [])].join('-')
        open.add(stream)
        stream.once('close', () => {
          open.delete(stream)
          endTurn()
        })
        reply.headers({
          ...freshness,
          'content-disposition': `attachment; filename="${name}.${format}"`,
          'x-content-type-options': 'nosniff',
        })
        return (reply as FastifyReply).type(contentTypes[format]).send(stream)
      },
    )
  }
}

/** Rejects an impossible range before anything is read. */
function rowsReader(
  query: ExportQuery,
  now: Date,
  ranges: RangeBreakdowns,
): (database: Database, subject: Subject) => Promise<ExportRows> {
  const filters = readFilters(query)
  const buckets = readSeriesRange(query, now)
  if (query.what === 'breakdowns')
    return (database, subject) => breakdownRows(database, subject, buckets, filters, ranges)
  const rows = query.what === 'series' ? seriesRows : visitRows
  return (database, subject) => rows(database, subject, buckets, filters)
}
