/** `GET /api/audit`: who changed what. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { databaseOn } from '@hopcount/shared/database/query-builder.ts'
import type { Pool } from 'pg'
import { Type } from 'typebox'
import { problemResponses } from '../errors/problem.ts'
import { perMinute } from '../limits/rate-limits.ts'
import { readAudit } from './audit-queries.ts'
import { AuditEntrySchema, describeEntry, linkHeader, pageProperties } from './audit-schema.ts'

export const auditRoute: FastifyPluginAsyncTypebox<{ pool: Pool; readsPerMinute: number }> = async (
  app,
  { pool, readsPerMinute },
) => {
  const database = databaseOn(pool)
  app.setSerializerCompiler(() => JSON.stringify)

  app.get(
    '/api/audit',
    {
      config: { access: 'admin', ...perMinute(readsPerMinute, 'stats') },
      schema: {
        operationId: 'audit',
        summary: 'Who changed what',
        description: 'Links that were created by `POST /shorten` without a key are not in it.',
        querystring: Type.Object(
          {
            ...pageProperties,
            action: Type.Optional(
              Type.String({ pattern: '^[a-z.]{1,50}$', description: 'only this action' }),
            ),
            key: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: Number.MAX_SAFE_INTEGER,
                description: 'only what the key with this id did',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: { ...Type.Array(AuditEntrySchema), description: 'newest first', headers: linkHeader },
          ...problemResponses({
            429: 'too many requests from this address',
            503: 'the database is unavailable',
          }),
        },
      },
    },
    async (request, reply) => {
      const { limit, after, action, key } = request.query
      const rows = await readAudit(database, {
        action,
        keyId: key,
        limit: limit + 1,
        after: after === undefined ? undefined : Number(after),
      })
      const page = rows.slice(0, limit)
      if (rows.length > limit) {
        const next = new URLSearchParams({ limit: String(limit) })
        if (action !== undefined) next.set('action', action)
        if (key !== undefined) next.set('key', String(key))
        next.set('after', String(page.at(-1)?.id))
        reply.header('link', `</api/audit?${next}>; rel="next"`)
      }
      return reply
        .header('cache-control', 'no-store')
        .send(page.map(row => ({ ...describeEntry(row), subject: row.subject })))
    },
  )
}
