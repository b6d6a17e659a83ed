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
import type { SlugResolver } from './resolve-slug.ts'

interface SlugRequest {
  Params: { slug: string }
}

const schema = {
  params: Type.Object({ slug: Type.String() }),
  response: {
    307: {
      type: 'null',
      description: 'the link leads to `Location`',
      headers: { location: { type: 'string', format: 'uri', description: 'exactly the stored URL' } },
    },
    ...problemResponses({
      404: 'no such link',
      410: 'the link has expired',
      503: 'the link can not be looked up, or its visit not be kept',
    }),
  },
}

/**
 * `GET /:slug`: 307 to the stored URL, counted; `HEAD /:slug`: the same headers, not counted.
 * 404 unknown, 410 expired, 503 where the slug can't be looked up or the visit can't be kept.
 *
 * 307 with `no-store`: the method stays, and no cache may answer in our place, or its visits would be missing.
 */
export function redirectRoutes(
  app: FastifyInstance,
  options: {
    resolver: SlugResolver
    recorder: VisitRecorder
    orphans: Pick<OrphanCounter, 'count'>
    clients: Pick<ClientAddresses, 'of'>
  },
): void {
  const { resolver, recorder, orphans, clients } = options

  app.get<SlugRequest>(
    '/:slug',
    { schema: { ...schema, operationId: 'follow', summary: 'Follow a link' } },
    (request, reply) => {
      withLink(request, reply, link => {
        const { referer: referrer, 'user-agent': userAgent, 'accept-language': language } = request.headers
        recorder
          .record({ linkId: link.id, referrer, userAgent, language, address: clients.of(request) })
          .then(
            () => answerRedirect(reply, link),
            error => answerFailure(reply, error),
          )
      })
    },
  )

  app.head<SlugRequest>(
    '/:slug',
    {
      schema: { ...schema, operationId: 'follow', summary: 'See where a link leads, uncounted' },
      config: { swagger: { exposeHeadRoute: true } },
    },
    (request, reply) => withLink(request, reply, link => answerRedirect(reply, link)),
  )

  /** A cached link is answered in this turn of the event loop: no promise, no delay. */
  function withLink(
    request: FastifyRequest<SlugRequest>,
    reply: FastifyReply,
    then: (link: Link) => void,
  ): void {
    const { slug } = request.params
    const cached = resolver.cached(slug)
    if (cached !== undefined) thenUnlessExpired(reply, cached, then)
    else if (!slugPattern.test(slug)) answerUnknown(reply)
    else {
      resolver.resolve(slug).then(
        link => {
          if (link !== undefined) return thenUnlessExpired(reply, link, then)
          if (request.method === 'GET') orphans.count(slug)
          answerUnknown(reply)
        },
        error => answerFailure(reply, error),
      )
    }
  }
}

function thenUnlessExpired(reply: FastifyReply, link: Link, then: (link: Link) => void): void {
  if (link.expiresAt !== undefined && isExpired(link, Date.now()))
    sendProblem(reply, new Problem(410, 'This link has expired.'))
  else then(link)
}

function answerRedirect(reply: FastifyReply, link: Link): void {
  reply.code(307).header('location', link.longUrl).header('cache-control', 'private, no-store').send()
}

const answerUnknown = constantProblem(404, 'There is no such link.')

function answerFailure(reply: FastifyReply, error: unknown): void {
  // The connection is cut: the client knows then as little as we do.
  if (error instanceof VisitUncertain) reply.hijack().raw.destroy()
  else if (error instanceof VisitRefused)
    sendProblem(reply, unavailable('The visit can not be counted at the moment. Please try again.'))
  else if (isConnectionError(error))
    sendProblem(reply, unavailable('The link can not be looked up at the moment. Please try again.'))
  else reply.send(error)
}
