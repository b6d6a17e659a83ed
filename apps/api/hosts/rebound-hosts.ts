/**
 * DNS rebinding: a page at evil.example has its own name resolve to 127.0.0.1, so the browser of somebody who runs this
 * service takes it for evil.example and lets the page read its responses, or create links. Only the Host header still has
 * that name.
 *
 * So without keys, requests from this machine itself are served under its own names only: PUBLIC_URL, OWN_HOSTS, and what
 * no public name server can resolve. Links are for everybody, and are followed under any name. A proxy on this machine is
 * not recognized unless TRUST_PROXY names it, because a page can send any X-Forwarded-For.
 */
import type { FastifyRequest } from 'fastify'
import type { ClientAddresses } from '../client-addresses.ts'
import { isLoopbackPeer } from '../client-addresses.ts'
import { Problem } from '../errors/problem.ts'
import type { OwnHosts } from './own-hosts.ts'
import { normalizeHost } from './own-hosts.ts'

export type HostCheck = (request: FastifyRequest) => Problem | undefined

export function createHostCheck(ownHosts: OwnHosts, clients: Pick<ClientAddresses, 'trusts'>): HostCheck {
  /** Nearly all requests have the same one. */
  let lastGood: string | undefined
  return request => {
    const { host, socket } = request
    // HTTP/1.0 without a Host is no browser's.
    if (!host || host === lastGood || !isLoopbackPeer(socket) || clients.trusts(socket.remoteAddress))
      return undefined
    const name = nameOf(host)
    if (!isLocalName(name) && ![...ownHosts].some(own => nameOf(own) === name))
      return new Problem(
        421,
        'Only links are served under this host name. Set PUBLIC_URL or OWN_HOSTS to the names of this service.',
      )
    lastGood = host
    return undefined
  }
}

function nameOf(host: string): string {
  return normalizeHost(host).replace(/:\d*$/, '').replace(/\.$/, '')
}

/**
 * An IP address, a name without a dot, or one below a domain that is not delegated (RFC 6761, RFC 6762, RFC 8375; internal:
 * ICANN, 2024-07-29).
 */
function isLocalName(name: string): boolean {
  return /^(?:[\d.]+|\[[0-9a-f:.]+\]|[^.]+|.+\.(?:localhost|local|internal|home\.arpa|test))$/.test(name)
}
