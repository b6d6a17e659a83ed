/** Where a request was sent to: what the short URL of its link begins with where PUBLIC_URL does not say it. */
import type { FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { Problem } from '../errors/problem.ts'

export interface Origin {
  /** `URL.origin`: what short URLs begin with. */
  origin: string
  /** `URL.host` */
  host: string
}

/** Of a valid URL. */
export function originOf(url: string): Origin {
  const { origin, host } = new URL(url)
  return { origin, host }
}

/** Nearly all requests name the same few. */
const parsed = new LRUCache<string, Origin>({ max: 100 })

/** Throws a Problem where the Host header is no host. */
export function requestOrigin(request: FastifyRequest): Origin {
  const text = `${request.protocol}://${request.host}`
  const known = parsed.get(text)
  if (known !== undefined) return known
  if (!httpOrigin.test(text) || !URL.canParse(text)) throw new Problem(400, 'The Host header is not a host.')
  const origin = originOf(text)
  parsed.set(text, origin)
  return origin
}

/** Nothing that a URL parser would read as user, path or query: a Host is a host and a port (RFC 9110, section 7.2). */
const httpOrigin = /^https?:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i
