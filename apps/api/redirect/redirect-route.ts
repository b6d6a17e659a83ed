import { noteHints } from '@hopcount/shared/agents/client-hints.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { ClientAddresses } from '../client-addresses.ts'
import { isConnectionError } from '../errors/error-handlers.ts'
import { constantProblem, Problem, problemResponses, sendProblem, unavailable } from '../errors/problem.ts'
import { slugPattern } from '../links/check-slug.ts'
import type { Link } from '../links/link.ts'
import { isExpired } from '../links/link.ts'
import type { OrphanCounter } from '../orphans/count-orphans.ts'
import { VisitRefused, VisitUncertain } from '../visits/keep-visits.ts'
import type { VisitRecorder } from '../visits/record-visits.ts'
import type { GoneCounter } from './count-gone.ts'
import { isPrefetch } from './is-prefetch.ts'
import type { SlugResolver } from './resolve-slug.ts'

interface SlugRequest {
  Params: { slug: string }
}

const schema = {
  params: Type.Object({ slug: Type.String() }),
  response: {
    307: {
      type: 'null',
      description: 'the target is in `Location`',
      headers: { location: { type: 'string', format: 'uri', description: 'exactly the stored URL' } },
    },
    ...problemResponses({
      404: 'no such link',
      410: 'the link has expired',
      503: 'a browser prefetches the link; or the link can not be looked up, or its visit can not be stored',
    }),
  },
}

/**
 * `GET /:slug`: 307 to the stored URL, counted; `HEAD /:slug`: the same headers, not counted.
 * 404 unknown, 410 expired, 503 when the slug can't be looked up or the visit can't be stored.
 *
 * 307 keeps the method. `no-store` keeps caches from responding, since visits served by them would not be counted.
 */
export function redirectRoutes(
  app: FastifyInstance,
  options: {
    resolver: SlugResolver
    recorder: VisitRecorder
    orphans: Pick<OrphanCounter, 'count'>
    gone: Pick<GoneCounter, 'count'>
    prefetches: { refused: number }
    clients: Pick<ClientAddresses, 'of'>
  },
): void {
  const { resolver, recorder, orphans, gone, prefetches, clients } = options

  app.get<SlugRequest>(
    '/:slug',
    { schema: { ...schema, operationId: 'follow', summary: 'Follow a link' } },
    (request, reply) => {
      withLink(request, reply, link => {
        const { referer: referrer, 'accept-language': language } = request.headers
        const userAgent = noteHints(request.headers)
        recorder
          .record({ linkId: link.id, referrer, userAgent, language, address: clients.of(request) })
          .then(
            () => sendRedirect(reply, link),
            error => sendFailure(reply, error),
          )
      })
    },
  )

  app.head<SlugRequest>(
    '/:slug',
    {
      schema: {
        ...schema,
        operationId: 'follow',
        summary: 'Look up where a link leads, without counting a visit',
      },
      config: { swagger: { exposeHeadRoute: true } },
    },
    (request, reply) => withLink(request, reply, link => sendRedirect(reply, link)),
  )

  /** A cached link is served in the same event-loop turn: no promise, no delay. */
  function withLink(
    request: FastifyRequest<SlugRequest>,
    reply: FastifyReply,
    then: (link: Link) => void,
  ): void {
    const { slug } = request.params
    const cached = resolver.cached(slug)
    if (isPrefetch(request.headers)) {
      prefetches.refused++
      sendPrefetchRefused(reply)
    } else if (cached !== undefined) thenUnlessExpired(request, reply, cached, then)
    else if (!slugPattern.test(slug)) sendUnknown(reply)
    else {
      resolver.resolve(slug).then(
        link => {
          if (link !== undefined) return thenUnlessExpired(request, reply, link, then)
          if (request.method === 'GET') orphans.count(slug)
          sendUnknown(reply)
        },
        error => sendFailure(reply, error),
      )
    }
  }

  function thenUnlessExpired(
    request: FastifyRequest,
    reply: FastifyReply,
    link: Link,
    then: (link: Link) => void,
  ): void {
    if (link.expiresAt !== undefined && isExpired(link, Date.now())) {
      if (request.method === 'GET') gone.count(link.id)
      sendProblem(reply, new Problem(410, 'This link has expired.'))
    } else then(link)
  }
}

function sendRedirect(reply: FastifyReply, link: Link): void {
  reply.code(307).header('location', link.longUrl).header('cache-control', 'private, no-store').send()
}

const sendUnknown = constantProblem(404, 'There is no such link.')

/** The browser asks again when somebody follows the link: only then is it a visit (decisions/0034). */
const sendPrefetchRefused = constantProblem(
  503,
  'Links are not prefetched: that would count a visit that nobody made.',
)

function sendFailure(reply: FastifyReply, error: unknown): void {
  // Nobody knows whether the visit counts. Closing the connection leaves the client with the same uncertainty.
  if (error instanceof VisitUncertain) reply.hijack().raw.destroy()
  else if (error instanceof VisitRefused)
    sendProblem(reply, unavailable('The visit can not be counted at the moment. Please try again.'))
  else if (isConnectionError(error))
    sendProblem(reply, unavailable('The link can not be looked up at the moment. Please try again.'))
  else reply.send(error)
}
