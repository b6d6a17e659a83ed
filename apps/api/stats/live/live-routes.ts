import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { allLinks } from '@hopcount/shared/all-links.ts'
import { Type } from 'typebox'
import { problemResponses } from '../../errors/problem.ts'
import type { LimitPerClient } from '../../limits/limit-per-client.ts'
import type { Link } from '../../links/link.ts'
import { refusals } from '../shared-responses.ts'
import type { StatsContext } from '../stats-context.ts'
import { checkSubjectSlug, noSuchLink } from '../subject.ts'
import type { LiveSource } from './live-source.ts'
import type { LiveStreams } from './live-streams.ts'

const EventStreamSchema = {
  description:
    'server-sent events (WHATWG HTML, section 9.2), open until the client disconnects or the process stops. Event `counts`: sent at once, then whenever something has changed, at most once per second. Event `freshness`: sent after 5 s without another event, and when counting becomes late or catches up. While the statistics can’t be read, there are no events, only a comment every 15 s',
  headers: {
    'cache-control': { type: 'string', const: 'no-store' },
    'x-accel-buffering': { type: 'string', const: 'no' },
  },
  content: {
    'text/event-stream': {
      schema: Type.String({
        description:
          'the JSON data of both events: `as_of` (all visits before it are included), `at` (when that was read, by the server’s clock), `pending` (visits that were redirected but may not be included yet); of `counts` also `visits` = `humans` + `bots` + `previews` (of all time), `last_5_minutes` (visits by humans since the start of the minute five minutes ago), `last_visit` (or null)',
        examples: [
          'event: counts\ndata: {"as_of":"2026-11-22T18:00:00.000Z","at":"2026-11-22T18:00:00.310Z","pending":0,"visits":12,"humans":9,"bots":2,"previews":1,"last_5_minutes":3,"last_visit":"2026-11-22T17:59:59.120Z"}\n\n',
        ],
      }),
    },
  },
}

export interface LiveOptions {
  streams: LiveStreams
  source: LiveSource
  /** Looks a slug up as a redirect does: concurrent requests for one link's stream share one lookup. */
  findLink: (slug: string) => Promise<Link | undefined>
  limit: LimitPerClient
}

/**
 * `GET /stats/live` and `GET /stats/:slug/live`: the counts as server-sent events. 404 when there is no such link,
 * 503 with Retry-After when there are too many streams, the process is overloaded, or the slug can't be looked up.
 */
export const liveRoutes: FastifyPluginAsyncTypebox<LiveOptions & Pick<StatsContext, 'config'>> = async (
  app,
  { streams, source, findLink, limit, config },
) => {
  app.get(
    '/stats/live',
    {
      config,
      schema: {
        operationId: 'liveOverall',
        summary: 'The visits of all links, live',
        response: {
          200: EventStreamSchema,
          ...problemResponses(refusals),
        },
      },
    },
    (request, reply) => {
      limit(request, reply)
      streams.open(reply, notify => source.listen(allLinks, notify))
    },
  )

  app.get(
    '/stats/:slug/live',
    {
      config,
      schema: {
        operationId: 'liveLink',
        summary: 'The visits of a link, live',
        params: Type.Object({ slug: Type.String() }),
        response: {
          200: EventStreamSchema,
          ...problemResponses({ 404: 'no such link', ...refusals }),
        },
      },
    },
    async (request, reply) => {
      const { slug } = request.params
      checkSubjectSlug(slug)
      limit(request, reply)
      const link = await findLink(slug)
      if (link === undefined) throw noSuchLink()
      streams.open(reply, notify => source.listen(link.id, notify))
    },
  )
}
