/** `GET /api/links/:slug/history`: who changed a link, when, and from what. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { databaseOn } from '@hopcount/shared/database/query-builder.ts'
import { Type } from 'typebox'
import { readAudit, valuesBeforeChanges } from '../audit/audit-queries.ts'
import type { HistoryEntry } from '../audit/audit-schema.ts'
import { describeEntry, HistoryEntrySchema, linkHeader, pageProperties } from '../audit/audit-schema.ts'
import { describeKey } from '../audit/by-key.ts'
import { problemResponses } from '../errors/problem.ts'
import { perMinute } from '../limits/rate-limits.ts'
import { changesOfCreation, describeFields } from '../links/link-fields.ts'
import { checkedSlug, unknownLink } from './edit-links.ts'
import type { LinkContext } from './link-context.ts'
import type { LinkRow } from './link-rows.ts'
import { findRow } from './link-rows.ts'
import { refusals, slugParams } from './route-schemas.ts'

export const historyRoute: FastifyPluginAsyncTypebox<LinkContext> = async (app, context) => {
  const { pool } = context
  const database = databaseOn(pool)

  app.get(
    '/api/links/:slug/history',
    {
      config: { access: 'links:read', ...perMinute(context.readsPerMinute, 'stats') },
      schema: {
        operationId: 'linkHistory',
        summary: 'Who changed a link',
        params: slugParams,
        querystring: Type.Object(pageProperties, { additionalProperties: false }),
        response: {
          200: {
            ...Type.Array(HistoryEntrySchema),
            description: 'newest first; the last one is the creation',
            headers: linkHeader,
          },
          ...problemResponses({ 404: 'no such link', ...refusals }),
        },
      },
    },
    async (request, reply) => {
      const { limit, after } = request.query
      const slug = checkedSlug(request.params.slug)
      // Before its changes: a later one is folded back out of this row, but one that was not read could not be.
      const found = await findRow(pool, slug)
      if (found === undefined) throw unknownLink()
      const rows = await readAudit(database, {
        linkId: found.id,
        limit: limit + 1,
        after: after === undefined ? undefined : Number(after),
      })
      const page = rows.slice(0, limit)
      const entries = page.map(describeEntry)
      if (rows.length > limit) {
        const next = `limit=${limit}&after=${page.at(-1)?.id}`
        reply.header('link', `</api/links/${slug}/history?${next}>; rel="next"`)
      } else if (page.at(-1)?.action !== 'link.created') {
        entries.push(await describeCreation(database, found))
      }
      return reply.header('cache-control', 'no-store').send(entries)
    },
  )
}

/** Of a link whose creation is not in the audit. */
async function describeCreation(database: Database, row: LinkRow): Promise<HistoryEntry> {
  const created = { ...describeFields(row), ...(await valuesBeforeChanges(database, row.id)) }
  return {
    at: row.createdAt.toISOString(),
    by: describeKey(row.createdBy, row.createdByName),
    via: 'api',
    action: 'link.created',
    changes: changesOfCreation(created),
  }
}
