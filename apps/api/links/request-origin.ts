/** The origin that a request was sent to: without PUBLIC_URL, short URLs begin with it. */
import type { FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { Problem } from '../errors/problem.ts'

export interface Origin {
  /** `URL.origin`: what short URLs begin with. */
  origin: string
  /** `URL.host` */
  host: string
}

/** @param url a valid URL */
export function originOf(url: string): Origin {
  const { origin, host } = new URL(url)
  return { origin, host }
}

/** Nearly all requests are sent to the same few. */
const origins = new LRUCache<string, Origin>({ max: 100, memoMethod: parseOrigin })

/** Throws a Problem when the Host header is not a host. */
export function requestOrigin(request: FastifyRequest): Origin {
  return origins.memo(`${request.protocol}://${request.host}`)
}

function parseOrigin(text: string): Origin {
  if (!httpOrigin.test(text) || !URL.canParse(text)) throw new Problem(400, 'The Host header is not a host.')
  return originOf(text)
}

/** Leaves nothing that a URL parser would read as user, path or query: a Host is a host and a port (RFC 9110, section 7.2). */
const httpOrigin = /^https?:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{0,5})?$/i
