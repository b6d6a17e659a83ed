/** `POST /api/links`: creates a link. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { actorOf } from '../access/actor.ts'
import { fieldProblem, problemResponses } from '../errors/problem.ts'
import { idempotencyHeader } from '../idempotency/create-once.ts'
import { perMinute } from '../limits/rate-limits.ts'
import { linkOrigin } from '../links/short-urls.ts'
import { checkNewLink } from './check-fields.ts'
import { etagOf } from './etags.ts'
import type { LinkContext } from './link-context.ts'
import { fieldOptions, linkCreated, refuseCompressed } from './link-context.ts'
import { describeLink, findRow } from './link-rows.ts'
import { LinkSchema, NewLinkBodySchema } from './link-schema.ts'
import { bodyRefusals, etagHeader, refusals } from './route-schemas.ts'

export const createLinkRoute: FastifyPluginAsyncTypebox<LinkContext> = async (app, context) => {
  const { pool, links, createOnce } = context

  app.post(
    '/api/links',
    {
      config: { access: 'links:write', ...perMinute(context.writesPerMinute, 'writes') },
      onRequest: refuseCompressed,
      schema: {
        operationId: 'createLink',
        summary: 'Create a link',
        description: 'The same as `POST /shorten`, with the whole link in the response.',
        headers: { type: 'object', properties: idempotencyHeader },
        body: NewLinkBodySchema,
        response: {
          200: { ...LinkSchema, description: 'an existing link (reuse)', headers: etagHeader },
          201: {
            ...LinkSchema,
            description: 'a new link',
            headers: {
              ...etagHeader,
              location: {
                type: 'string',
                format: 'uri-reference',
                description: 'the address of the resource',
              },
            },
          },
          ...problemResponses({
            409: 'the slug is taken, or a request with the same Idempotency-Key is under way',
            422: 'well-formed, but not allowed: see `errors`; or the Idempotency-Key was used for another request',
            ...bodyRefusals,
            ...refusals,
          }),
        },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request)
      const origin = linkOrigin(context, request)
      const options = fieldOptions(context, request, await context.domainRules.current())
      await createOnce(request, reply, async client => {
        const wanted = checkNewLink(request.body, options)
        const creation = { ...wanted, creator: actor }
        const outcome =
          client === undefined
            ? await links.createLink(creation)
            : (await links.createLinksOn(client, [creation]))[0]
        if (outcome === undefined || outcome.kind === 'taken')
          throw fieldProblem(409, 'slug', 'This slug is taken.')
        const { slug } = outcome.link
        const row = await findRow(client ?? pool, slug)
        if (row === undefined) throw new Error('a created link is gone')
        return {
          status: outcome.kind === 'created' ? 201 : 200,
          headers: {
            etag: etagOf(row),
            ...(outcome.kind === 'created' && { location: `/api/links/${slug}` }),
          },
          body: describeLink(row, origin, actor),
          committed: () => outcome.kind === 'created' && linkCreated(context, outcome.link),
        }
      })
      return reply
    },
  )
}
