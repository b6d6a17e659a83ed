/**
 * Whether a request comes from this service's own page. A browser sends a session's cookie by itself, also for a page of
 * another port of the same host (SameSite does not tell ports apart).
 */
import type { FastifyRequest } from 'fastify'
import type { OwnHosts } from '../hosts/own-hosts.ts'
import { normalizeHost } from '../hosts/own-hosts.ts'

/**
 * Browsers send Sec-Fetch-Site to HTTPS and loopback addresses, and elsewhere Origin with every method but GET and HEAD.
 * Undefined: neither, so it is no browser's, or an old one's.
 */
export function isSameOrigin(request: FastifyRequest, ownHosts: OwnHosts): boolean | undefined {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const { origin } = request.headers
  if (origin === undefined) return undefined
  if (!URL.canParse(origin)) return false
  const host = normalizeHost(new URL(origin).host)
  return host === normalizeHost(request.host) || ownHosts.has(host)
}
