/** `GET /stats/:slug/export` and `GET /stats/overall/export`: series, breakdowns and raw visits as files. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import type { FastifyReply } from 'fastify'
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
import { excelRows, localDays } from './excel-rows.ts'
import { exportContent, exportContentTypes, fileEndings } from './export-formats.ts'
import type { ExportRows } from './export-rows.ts'
import { breakdownRows, seriesRows, visitRows } from './export-rows.ts'
import type { ExportQuery } from './export-schema.ts'
import { ExportQuerySchema } from './export-schema.ts'
import { exportStream } from './export-stream.ts'
import { createExports } from './open-exports.ts'

export interface ExportContext extends StatsContext {
  /** Has connections of its own, `concurrentExports` of them: a slow client holds one for as long as it reads. */
  exportDatabase: Database
  ranges: RangeBreakdowns
  limit: LimitPerClient
}

/** The columns of CSV are older than these. */
const agentColumns = ['browser', 'browser_version', 'os', 'os_version', 'device', 'bot']

export const exportRoutes: FastifyPluginAsyncTypebox<ExportContext> = async (
  app,
  { database, exportDatabase, ranges, responses, limit, config },
) => {
  const openExport = createExports(app)

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
              content: exportContent,
            },
            ...problemResponses({ ...notFound, 422: tooLongDescription, ...refusals }),
          },
        },
      },
      async (request, reply) => {
        const { what, format, tz } = request.query
        const isExcel = format === 'excel'
        const freshness = await responses.freshness()
        const { range, readRows } = rowsReader(request.query, new Date(), ranges)
        const subject = await findSubject(database, slugOf(request))
        limit(request, reply as FastifyReply)
        const { rows, stream } = await openExport(async () => {
          const rows = await readRows(exportDatabase, subject)
          return { rows, stream: await exportStream(isExcel ? excelRows(rows, tz) : rows, request.query) }
        })
        const days = rows.widenedTo ?? (isExcel ? localDays(range, tz) : [])
        const name = [subject.slug ?? 'overall', what, ...days].join('-')
        reply.headers({
          ...freshness,
          'content-disposition': `attachment; filename="${name}.${fileEndings[format]}"`,
          'x-content-type-options': 'nosniff',
        })
        return (reply as FastifyReply).type(exportContentTypes[format]).send(stream)
      },
    )
  }
}

/** Rejects an impossible range before anything is read. */
function rowsReader(
  query: ExportQuery,
  now: Date,
  ranges: RangeBreakdowns,
): {
  range: { from: Date; to: Date }
  readRows: (database: Database, subject: Subject) => Promise<ExportRows>
} {
  const filters = readFilters(query)
  const buckets = readSeriesRange(query, now)
  const range = { from: buckets.starts[0] ?? buckets.end, to: buckets.end }
  if (query.what === 'breakdowns')
    return {
      range,
      readRows: (database, subject) => breakdownRows(database, subject, buckets, filters, ranges),
    }
  const rows = query.what === 'series' ? seriesRows : visitRows
  const readRows = async (database: Database, subject: Subject) => {
    const read = await rows(database, subject, buckets, filters)
    const isForPeople = query.what === 'visits' && query.format === 'excel'
    return isForPeople ? { ...read, columns: [...read.columns, ...agentColumns] } : read
  }
  return { range, readRows }
}
