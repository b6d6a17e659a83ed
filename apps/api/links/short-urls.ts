/** Short URLs: as the service gives them out, and as people paste them into a search. */
import type { FastifyRequest } from 'fastify'
import type { OwnHosts } from '../hosts/own-hosts.ts'
import { normalizeHost } from '../hosts/own-hosts.ts'
import { requestHost, requestOrigin } from './request-origin.ts'

export interface PublicAddress {
  /** Of PUBLIC_URL. */
  publicOrigin: string | undefined
  ownHosts: OwnHosts
}

/** What short URLs begin with. */
export function linkOrigin({ publicOrigin }: PublicAddress, request: FastifyRequest): string {
  return publicOrigin ?? requestOrigin(request)
}

/** Also the host that this request was sent to: a link to it would be a loop. */
export function ownHostCheck(
  { ownHosts }: PublicAddress,
  request: FastifyRequest,
): (host: string) => boolean {
  const requested = requestHost(request)
  return host => host === requested || ownHosts.has(host)
}

/** `https://hop.example/abc` finds /abc, also without its scheme, and with what a program has appended to it. */
export function slugOfShortUrl(text: string, isOwnHost: (host: string) => boolean): string | undefined {
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `https://${text}`)
  const slug = /^\/([A-Za-z0-9_-]{1,64})\+?\/?$/.exec(url?.pathname ?? '')?.[1]
  return url !== null && isOwnHost(normalizeHost(url.host)) ? slug : undefined
}
