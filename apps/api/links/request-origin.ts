/** The origin that a request was sent to: without PUBLIC_URL, short URLs begin with it. */
import type { FastifyRequest } from 'fastify'
import { Problem } from '../errors/problem.ts'
import { parseHost } from '../hosts/own-hosts.ts'

/** Nearly all requests are sent to the same one. */
let last = { protocol: '', host: '', origin: '' }

/** `URL.origin`. Throws a Problem when the Host header is not a host. */
export function requestOrigin({ protocol, host }: FastifyRequest): string {
  if (protocol !== last.protocol || host !== last.host)
    last = { protocol, host, origin: parseOrigin(`${protocol}://${host}`) }
  return last.origin
}

function parseOrigin(text: string): string {
  const url = httpOrigin.test(text) ? URL.parse(text) : null
  if (url === null) throw new Problem(400, 'The Host header is not a host.')
  return url.origin
}

/** Leaves nothing that a URL parser would read as user, path or query: a Host is a host and a port (RFC 9110, section 7.2). */
const httpOrigin = /^https?:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{0,5})?$/i

let lastHost: { given: string; host: string | undefined } = { given: '', host: undefined }

/** The host that the request was sent to, as `normalizeHost` spells it; undefined: it is none. */
export function requestHost({ host }: FastifyRequest): string | undefined {
  if (host !== lastHost.given) lastHost = { given: host, host: parseHost(host) }
  return lastHost.host
}
