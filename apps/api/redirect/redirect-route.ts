import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { ClientAddresses } from '../client-addresses.ts'
import { isConnectionError, slugRoute } from '../errors/error-handlers.ts'
import { constantProblem, Problem, problemResponses, unavailable } from '../errors/problem.ts'
import type { VisitorPages } from '../errors/visitor-pages.ts'
import type { Link, LinkRules } from '../links/link.ts'
import { isExpired, stateOf, targetHostOf } from '../links/link.ts'
import type { OrphanCounter } from '../orphans/count-orphans.ts'
import type { LimitedLink, Quota } from '../quota/limit-visits.ts'
import { VisitRefused, VisitUncertain } from '../visits/keep-visits.ts'
import type { VisitRecorder } from '../visits/record-visits.ts'
import type { GoneCounter } from './count-gone.ts'
import type { LoopCheck } from './detect-loops.ts'
import type { FastPath } from './fast-path.ts'
import { findLink, orphanOf, slugWithSlash } from './find-link.ts'
import { forwardQuery } from './forward-query.ts'
import { isPrefetch } from './is-prefetch.ts'
import type { SlugResolver } from './lookup/resolve-slug.ts'
import type { SendPreview } from './preview/send-preview.ts'
import { previewedSlug } from './preview/send-preview.ts'
import { readVisit } from './read-visit.ts'

interface SlugRequest {
  Params: { slug: string }
}

const schema = {
  params: Type.Object({ slug: Type.String() }),
  response: {
    200: {
      description: 'with `+` after the slug: where the link leads, not counted; a page for browsers',
      content: {
        'application/json': {
          schema: Type.Object({
            slug: Type.String(),
            title: Type.Union([Type.String(), Type.Null()]),
            long_url: Type.String({ format: 'uri' }),
          }),
        },
        'text/html': { schema: Type.String() },
      },
    },
    307: {
      type: 'null',
      description:
        'the target is in `Location`; for an expired link its `expired_url`, and no visit is counted',
      headers: {
        location: {
          type: 'string',
          format: 'uri',
          description:
            'exactly the stored URL, with the query of the request appended where the link has `forward_query` (one stored by a release before 0.2 may not conform to RFC 3986)',
        },
      },
    },
    ...problemResponses({
      404: 'no such link, or not yet, or it is disabled',
      410: 'the link has expired, or was deleted',
      508: 'the link leads back to this service; not counted',
      503: 'a browser prefetches the link; or the link can not be looked up, or its visit can not be stored',
    }),
  },
}

/**
 * `GET /:slug`: 307 to the stored URL, counted; `HEAD /:slug`: the same headers, not counted.
 * 404 unknown, disabled or not yet valid, 410 expired or deleted, 508 a loop, 503 when the slug can't be looked up or the visit can't be stored. A damaged
 * link (`/tour.`, `/tour/`) leads where it was meant to, if there is no link with the slug as requested. `/:slug+` shows
 * where the link leads, uncounted.
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
    pages: VisitorPages
    isLoop: LoopCheck
    sendPreview: SendPreview
    failureOf: FastPath['failureOf']
    quota: Omit<Quota, 'close'>
    /** Words in place of a slug that lead to a route, in lower case. */
    routes: ReadonlySet<string>
  },
): void {
  const {
    resolver,
    recorder,
    orphans,
    gone,
    prefetches,
    clients,
    pages,
    isLoop,
    quota,
    routes,
    sendPreview,
    failureOf,
  } = options
  const sendUnknown = pages.constant(404, 'There is no such link.')
  const sendNothingHere = pages.constant(404, 'There is nothing at this address.')

  app.get<SlugRequest>(
    slugRoute,
    { config: { access: 'open' }, schema: { ...schema, operationId: 'follow', summary: 'Follow a link' } },
    (request, reply) => findAndFollow(request, reply, request.params.slug),
  )

  app.head<SlugRequest>(
    slugRoute,
    {
      schema: {
        ...schema,
        operationId: 'follow',
        summary: 'Look up where a link leads, without counting a visit',
      },
      config: { access: 'open', swagger: { exposeHeadRoute: true } },
    },
    (request, reply) => findAndFollow(request, reply, request.params.slug),
  )

  app.setNotFoundHandler((request, reply) => {
    const { method, url } = request
    const slug = method === 'GET' || method === 'HEAD' ? slugWithSlash(url, routes) : undefined
    if (slug === undefined) sendNothingHere(reply)
    else findAndFollow(request, reply, slug)
  })

  function follow(
    request: FastifyRequest,
    reply: FastifyReply,
    link: Link,
    target: string,
    limited?: LimitedLink,
  ): void {
    if (request.method === 'HEAD') {
      sendRedirect(reply, target)
      return
    }
    recorder.record(
      readVisit(link, request.raw, clients),
      () => sendRedirect(reply, target),
      error => {
        if (limited !== undefined && error instanceof VisitRefused) quota.putBack(limited)
        sendFailure(reply, error)
      },
    )
  }

  /** A cached link is served in the same event-loop turn: no promise, no delay. */
  function findAndFollow(request: FastifyRequest, reply: FastifyReply, slug: string): void {
    const failure = failureOf(request.raw)
    const cached = resolver.cached(slug)
    if (failure !== undefined) sendFailure(reply, failure)
    else if (isPrefetch(request.headers)) {
      prefetches.refused++
      sendPrefetchRefused(reply)
    } else if (cached !== undefined) followIfOpen(request, reply, cached)
    else if (previewedSlug(slug) !== undefined) preview(request, reply, slug.slice(0, -1))
    else {
      findLink(resolver, slug)
        .then(link => {
          if (link !== undefined) return followIfOpen(request, reply, link)
          const orphan = request.method === 'GET' ? orphanOf(slug) : undefined
          if (orphan !== undefined) orphans.count(orphan)
          sendUnknown(reply)
        })
        .catch(error => sendFailure(reply, error))
    }
  }

  function preview(request: FastifyRequest, reply: FastifyReply, slug: string): void {
    findLink(resolver, slug)
      .then(link => (link === undefined ? sendUnknown(reply) : sendPreview(request, reply, slug, link)))
      .catch(error => (error instanceof Problem ? pages.send(reply, error) : sendFailure(reply, error)))
  }

  function followIfOpen(request: FastifyRequest, reply: FastifyReply, link: Link): void {
    if (link.rules !== undefined) followByRules(request, reply, link, link.rules)
    else if (link.expiresAt !== undefined && isExpired(link, Date.now())) sendOver(request, reply, link)
    else if (isLoop(link, request.raw)) sendLoop(reply)
    else follow(request, reply, link, link.longUrl)
  }

  function followByRules(request: FastifyRequest, reply: FastifyReply, link: Link, rules: LinkRules): void {
    const state = stateOf(link, Date.now())
    if (state === 'disabled' || state === 'scheduled') sendUnknown(reply)
    else if (state === 'deleted') {
      if (request.method === 'GET') gone.count(link.id)
      pages.send(reply, new Problem(410, 'This link was deleted.'))
    } else if (state === 'expired') sendOver(request, reply, link)
    else if (isLoop(link, request.raw)) sendLoop(reply)
    else {
      const target = rules.forwardQuery ? forwardQuery(link.longUrl, request.url) : link.longUrl
      if (rules.maxVisits === undefined) follow(request, reply, link, target)
      else followIfLeft(request, reply, link, target, { id: link.id, maxVisits: rules.maxVisits })
    }
  }

  function followIfLeft(
    request: FastifyRequest,
    reply: FastifyReply,
    link: Link,
    target: string,
    limited: LimitedLink,
  ): void {
    const decide = (passes: boolean) => {
      if (passes) follow(request, reply, link, target, limited)
      else sendOver(request, reply, link)
    }
    const passes = request.method === 'HEAD' ? quota.hasLeft(limited) : quota.take(limited)
    if (typeof passes === 'boolean') decide(passes)
    else passes.then(decide).catch(error => sendFailure(reply, error))
  }

  /** Expired, or followed as often as it may be. */
  function sendOver(request: FastifyRequest, reply: FastifyReply, link: Link): void {
    if (request.method === 'GET') gone.count(link.id)
    const longUrl = link.rules?.expiredUrl
    if (longUrl === undefined) pages.send(reply, new Problem(410, 'This link has expired.'))
    else if (isLoop({ longUrl, targetHost: targetHostOf(longUrl) }, request.raw)) sendLoop(reply)
    else sendRedirect(reply, longUrl)
  }

  function sendLoop(reply: FastifyReply): void {
    pages.send(reply, new Problem(508, 'This link leads back to this service.'))
  }

  function sendFailure(reply: FastifyReply, error: unknown): void {
    // Nobody knows whether the visit counts. Closing the connection leaves the client with the same uncertainty.
    if (error instanceof VisitUncertain) reply.hijack().raw.destroy()
    else if (error instanceof VisitRefused)
      pages.send(reply, unavailable('The visit can not be counted at the moment. Please try again.'))
    else if (isConnectionError(error))
      pages.send(reply, unavailable('The link can not be looked up at the moment. Please try again.'))
    else reply.send(error)
  }
}

function sendRedirect(reply: FastifyReply, target: string): void {
  reply.code(307).header('location', target).header('cache-control', 'private, no-store').send()
}

/** The browser requests it again when somebody follows the link: only then is it a visit (decisions/0034). */
const sendPrefetchRefused = constantProblem(
  503,
  'Links are not prefetched: that would count a visit that nobody made.',
)
