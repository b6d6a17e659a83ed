/** `PATCH /api/links/:slug`: changes a link. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { actorOf } from '../access/actor.ts'
import { Problem, problemResponses } from '../errors/problem.ts'
import { perMinute } from '../limits/rate-limits.ts'
import { linkOrigin } from '../links/short-urls.ts'
import { parseMergePatches } from '../request-bodies.ts'
import { checkPatch } from './check-fields.ts'
import { checkedSlug, editLinks, unknownLink } from './edit-links.ts'
import { etagOf } from './etags.ts'
import type { LinkContext } from './link-context.ts'
import { fieldOptions, refuseCompressed } from './link-context.ts'
import { describeLink } from './link-rows.ts'
import { LinkPatchSchema, LinkSchema } from './link-schema.ts'
import { bodyRefusals, etagHeader, ifMatchHeader, refusals, slugParams } from './route-schemas.ts'

export const changeLinkRoute: FastifyPluginAsyncTypebox<LinkContext> = async (app, context) => {
  parseMergePatches(app)

  app.patch(
    '/api/links/:slug',
    {
      config: { access: 'links:write', ...perMinute(context.writesPerMinute, 'writes') },
      onRequest: refuseCompressed,
      schema: {
        operationId: 'changeLink',
        summary: 'Change a link',
        description:
          'A merge patch (RFC 7396): absent fields stay as they are, null removes. The new state holds for every redirect within 1 s.',
        params: slugParams,
        headers: ifMatchHeader,
        body: LinkPatchSchema,
        consumes: ['application/json', 'application/merge-patch+json'],
        response: {
          200: { ...LinkSchema, description: 'the changed link', headers: etagHeader },
          ...problemResponses({
            404: 'no such link',
            410: 'the link is deleted',
            412: 'the link has another ETag than If-Match says',
            422: 'well-formed, but not allowed: see `errors`',
            ...bodyRefusals,
            ...refusals,
          }),
        },
      },
    },
    async (request, reply) => {
      const slug = checkedSlug(request.params.slug)
      const actor = actorOf(request)
      const options = fieldOptions(context, request, await context.domainRules.current())
      const [edited] = await editLinks(context.changeLinks, actor, [
        {
          slug,
          ifMatch: request.headers['if-match'],
          change: before => checkPatch(before, request.body, options),
        },
      ])
      if (edited === undefined || edited instanceof Problem) throw edited ?? unknownLink()
      return reply
        .headers({ etag: etagOf(edited), 'cache-control': 'no-store' })
        .send(describeLink(edited, linkOrigin(context, request), actor))
    },
  )
}
