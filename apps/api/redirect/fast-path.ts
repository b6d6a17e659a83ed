/**
 * The fast path of a redirect: GET of a link without rules that is in L1, answered in Node's request listener, before
 * Fastify's life cycle (decisions/0052-fast-path.md).
 *
 * It takes a request only if the ordinary way (redirect-route.ts) would respond with the 307, and sends the same. Whatever
 * else there is to decide (rules, expiry, loops, prefetches, damaged slugs, bad hosts, a stopping process) is left to the
 * ordinary way. So is the response when the visit could not be recorded: that way then finds the failure in `failureOf`,
 * instead of recording the visit a second time.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { ClientAddresses } from '../client-addresses.ts'
import type { HostHeaderCheck } from '../hosts/host-header.ts'
import { slugPattern } from '../links/check-slug.ts'
import type { Link } from '../links/link.ts'
import { isExpired } from '../links/link.ts'
import type { VisitRecorder } from '../visits/record-visits.ts'
import type { LoopCheck } from './detect-loops.ts'
import { isPrefetch } from './is-prefetch.ts'
import type { SlugResolver } from './lookup/resolve-slug.ts'
import { readVisit } from './read-visit.ts'

export interface FastPath {
  listener: RequestListener
  /** Why the visit of this request could not be recorded; undefined: that was not tried. */
  failureOf(request: IncomingMessage): unknown
}

export function createFastPath(options: {
  /** Fastify */
  ordinary: RequestListener
  resolver: Pick<SlugResolver, 'cached'>
  recorder: Pick<VisitRecorder, 'record'>
  clients: Pick<ClientAddresses, 'of'>
  checkHost: HostHeaderCheck
  isLoop: LoopCheck
  isStopping: () => boolean
  /** Words in place of a slug that lead to a route, in lower case. */
  routes: ReadonlySet<string>
}): FastPath {
  const { ordinary, resolver, recorder, clients, checkHost, isLoop, isStopping, routes } = options
  const failures = new WeakMap<IncomingMessage, unknown>()

  function listener(request: IncomingMessage, response: ServerResponse): void {
    const link = linkToFollow(request)
    if (link === undefined) ordinary(request, response)
    else follow(link, request, response)
  }

  function follow(link: Link, request: IncomingMessage, response: ServerResponse): void {
    recorder.record(
      readVisit(link, request, clients),
      () => sendRedirect(response, link.longUrl),
      error => {
        failures.set(request, error)
        ordinary(request, response)
      },
    )
  }

  /** Undefined: the ordinary way decides. */
  function linkToFollow(request: IncomingMessage): Link | undefined {
    const { method, url = '' } = request
    if (method !== 'GET' || isStopping()) return undefined
    const slug = url.slice(1)
    const link = resolver.cached(slug)
    const isPlain =
      link !== undefined &&
      link.rules === undefined &&
      (link.expiresAt === undefined || !isExpired(link, Date.now())) &&
      url.startsWith('/') &&
      slugPattern.test(slug) &&
      !routes.has(slug.toLowerCase()) &&
      checkHost(request) === undefined &&
      !isPrefetch(request.headers) &&
      !isLoop(link, request)
    return isPlain ? link : undefined
  }

  return { listener, failureOf: request => failures.get(request) }
}

/** Node adds Date, Connection and Keep-Alive. */
function sendRedirect(response: ServerResponse, target: string): void {
  response
    .writeHead(307, { location: target, 'cache-control': 'private, no-store', 'content-length': '0' })
    .end()
}
