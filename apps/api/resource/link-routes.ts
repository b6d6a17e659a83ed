/** `GET` and `DELETE /api/links/:slug`. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { actorOf } from '../access/actor.ts'
import { problemResponses } from '../errors/problem.ts'
import { perMinute } from '../limits/rate-limits.ts'
import { linkOrigin } from '../links/short-urls.ts'
import { checkedSlug, deleteLinks, unknownLink } from './edit-links.ts'
import { etagOf, isKnown } from './etags.ts'
import type { LinkContext } from './link-context.ts'
import { describeLink, findRow } from './link-rows.ts'
import { LinkSchema } from './link-schema.ts'
import { etagHeader, ifMatchHeader, refusals, slugParams } from './route-schemas.ts'

export const linkRoutes: FastifyPluginAsyncTypebox<LinkContext> = async (app, context) => {
  app.get(
    '/api/links/:slug',
    {
      config: { access: 'links:read', ...perMinute(context.readsPerMinute, 'stats') },
      schema: {
        operationId: 'getLink',
        summary: 'A link',
        description: 'A deleted link has the state `deleted`.',
        params: slugParams,
        headers: {
          type: 'object',
          properties: { 'if-none-match': { type: 'string', description: 'an ETag' } },
        },
        response: {
          200: { ...LinkSchema, description: 'the link', headers: etagHeader },
          304: {
            type: 'null',
            description: 'not changed since the response with that ETag; visits may have come',
          },
          ...problemResponses({ 404: 'no such link', ...refusals }),
        },
      },
    },
    async (request, reply) => {
      const row = await findRow(context.pool, checkedSlug(request.params.slug))
      if (row === undefined) throw unknownLink()
      reply.headers({ etag: etagOf(row), 'cache-control': 'no-store' })
      if (isKnown(request.headers['if-none-match'], etagOf(row))) return reply.code(304).send(null)
      return reply.send(describeLink(row, linkOrigin(context, request), actorOf(request)))
    },
  )

  app.delete(
    '/api/links/:slug',
    {
      config: { access: 'links:write', ...perMinute(context.writesPerMinute, 'writes') },
      schema: {
        operationId: 'deleteLink',
        summary: 'Delete a link',
        description:
          'From now on visitors get a 410. The slug stays taken, and the statistics stay. Deleting a deleted link changes nothing.',
        params: slugParams,
        headers: ifMatchHeader,
        response: {
          204: { type: 'null', description: 'the link is deleted' },
          ...problemResponses({
            404: 'no such link',
            412: 'the link has another ETag than If-Match says',
            ...refusals,
          }),
        },
      },
    },
    async (request, reply) => {
      const slug = checkedSlug(request.params.slug)
      const ifMatch = request.headers['if-match']
      const [problem] = await deleteLinks(context.changeLinks, actorOf(request), [{ slug, ifMatch }])
      if (problem !== undefined) throw problem
      return reply.code(204).header('cache-control', 'no-store').send(null)
    },
  )
}
