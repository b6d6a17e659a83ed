/** `GET /stats/:slug/export` and `GET /stats/overall/export`: series, breakdowns and raw visits as files. */
import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import type { FastifyReply } from 'fastify'
import type { Static } from 'typebox'
import { Type } from 'typebox'
import { problemResponses } from '../../errors/problem.ts'
import { readDayRange } from '../breakdowns/breakdown-range.ts'
import { tooLongDescription } from '../filtered/count-filtered.ts'
import { filterProperties, isFiltered, readFilters } from '../filtered/filters.ts'
import { readSeriesRange, seriesProperties } from '../series/series-range.ts'
import { freshnessHeaderSchemas, refusals } from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import type { Subject } from '../subject.ts'
import { findSubject, reportAddresses, slugOf } from '../subject.ts'
import { createTurns } from '../turns.ts'
import type { ExportRows } from './export-rows.ts'
import { breakdownRows, seriesRows, visitRows } from './export-rows.ts'
import { exportStream } from './export-stream.ts'

const QuerySchema = Type.Object(
  {
    what: Type.Union([Type.Literal('visits'), Type.Literal('series'), Type.Literal('breakdowns')], {
      default: 'visits',
      description:
        'raw visits of the range, newest first, as far back as they are kept; or what the other reports show. With filters: the visits that pass, as in the filtered report',
    }),
    format: Type.Union([Type.Literal('csv'), Type.Literal('ndjson')], {
      default: 'csv',
      description:
        'csv: with a line of names, an apostrophe in front of what a spreadsheet would take for a formula; ndjson: an object of the API per line',
    }),
    ...seriesProperties,
    ...filterProperties,
  },
  { additionalProperties: false },
)

type ExportQuery = Static<typeof QuerySchema>

const contentTypes = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson; charset=utf-8' }

export interface ExportContext extends StatsContext {
  /** With connections of its own, as many as `atATime`: a slow client keeps one for as long as it reads. */
  exportDatabase: Database
}

export const exportsAtATime = 2

export const exportRoutes: FastifyPluginAsyncTypebox<ExportContext> = async (
  app,
  { database, exportDatabase, answers, config },
) => {
  const turns = createTurns({
    max: exportsAtATime,
    waitMs: 0,
    refusal: 'Other exports are under way. Please try again in a moment.',
  })
  const open = new Set<Readable>()
  // A file that is not finished is cut off, which the client notices: its last chunk is missing.
  app.addHook('preClose', async () => {
    for (const stream of open) stream.destroy(new Error('the process is stopping'))
  })

  for (const { url, id, of, schema, notFound } of reportAddresses('export')) {
    app.get(
      url,
      {
        config,
        schema: {
          operationId: `${id}Export`,
          summary: `The statistics of ${of} as a file`,
          description:
            'A stream. Clients that read nothing for 30 s, or are not done after 15 minutes, are cut off.',
          ...schema,
          querystring: QuerySchema,
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
        const readRows = rowsReader(request.query, new Date())
        const subject = await findSubject(database, slugOf(request))
        const endTurn = await turns.take()
        const stream = await readRows(exportDatabase, subject)
          .then(rows => exportStream(rows, format))
          .catch(error => {
            endTurn()
            throw error
          })
        open.add(stream)
        stream.once('close', () => {
          open.delete(stream)
          endTurn()
        })
        reply.headers({
          ...answers.freshness(),
          'content-disposition': `attachment; filename="${subject.slug ?? 'overall'}-${what}.${format}"`,
          'x-content-type-options': 'nosniff',
        })
        return (reply as FastifyReply).type(contentTypes[format]).send(stream)
      },
    )
  }
}

/** Refuses an impossible range before anything is read. */
function rowsReader(
  query: ExportQuery,
  now: Date,
): (database: Database, subject: Subject) => Promise<ExportRows> {
  const filters = readFilters(query)
  if (query.what === 'breakdowns') {
    const range = isFiltered(filters) ? readSeriesRange(query, now) : readDayRange(query, now)
    return (database, subject) => breakdownRows(database, subject, range, filters)
  }
  const buckets = readSeriesRange(query, now)
  const rows = query.what === 'series' ? seriesRows : visitRows
  return (database, subject) => rows(database, subject, buckets, filters)
}
