/**
 * The client's address: from the socket, or from X-Forwarded-For if TRUST_PROXY names the peer that sends it. It is put
 * into canonical form (shared/client-address.ts) before anything is limited, hashed or looked up by it.
 *
 * A proxy that TRUST_PROXY does not name hides all clients behind its own address: wrong countries, one unique visitor,
 * one rate limit for everybody. So there is a warning, once in the log, and for the life of the process in /readyz and on
 * the page.
 */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv6 } from 'node:net'
import { all as forwardedAddresses } from '@fastify/proxy-addr'
import { normalizeAddress } from '@hopcount/shared/client-address.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { parseNetwork } from '@hopcount/shared/network.ts'
import { isPublicAddress } from '@hopcount/shared/public-address.ts'

type Request = Pick<IncomingMessage, 'headers' | 'socket'>

export interface ClientAddresses {
  /** For Fastify's `trustProxy`: whether the address belongs to a trusted proxy. */
  trusts(address: string | undefined): boolean
  /** The client's address in canonical form; undefined if a trusted proxy sends an invalid one, or the client hung up. */
  of(request: IncomingMessage): string | undefined
  /** The host that the client requested: Host, or the X-Forwarded-Host of a trusted proxy. The same as Fastify's `request.host`. */
  hostOf(request: IncomingMessage): string
  /** Says what to set if a proxy's header is ignored. */
  warning(): string | undefined
}

/**
 * Anybody may send the header to a service without a proxy, and many scanners do. A peer on a private network that sends
 * it is a proxy; public peers are if most requests have it.
 */
const manyForwarded = 100

/** @param networks TRUST_PROXY: addresses or CIDR blocks, separated by commas */
export function createClientAddresses(networks: string | undefined, log: Log): ClientAddresses {
  const trusted = blockList(networks?.split(',') ?? [])
  let requests = 0
  let forwarded = 0
  let warning: string | undefined

  function trusts(text: string | undefined): boolean {
    const address = normalizeAddress(text ?? '')
    return address !== undefined && trusted.check(address, familyOf(address))
  }

  function of(request: IncomingMessage): string | undefined {
    requests++
    // Undefined when the client hung up while its link was looked up.
    const peer = request.socket.remoteAddress
    if (request.headers['x-forwarded-for'] === undefined) return normalizeAddress(peer ?? '')
    if (warning === undefined) noteForwarded(peer)
    return normalizeAddress(forwardedAddresses(request, trusts).at(-1) ?? '')
  }

  function hostOf({ headers, socket }: IncomingMessage): string {
    const forwardedHost = headers['x-forwarded-host']
    // Node joins several lines with commas; the last one is the nearest proxy's.
    if (forwardedHost && trusts(socket.remoteAddress))
      return String(forwardedHost).split(',').at(-1)?.trim() ?? ''
    return headers.host ?? ''
  }

  function noteForwarded(peer: string | undefined): void {
    const address = normalizeAddress(peer ?? '')
    if (address === undefined || trusts(address)) return
    forwarded++
    const isPublic = isPublicAddress(address)
    if (isPublic && (forwarded < manyForwarded || 2 * forwarded < requests)) return
    const from = isPublic ? 'the proxies in front' : address
    warning = `X-Forwarded-For from ${from} is ignored, and all visitors behind it count as one. Set TRUST_PROXY to the network of the proxy.`
    log.warn(warning)
  }

  return { trusts, of, hostOf, warning: () => warning }
}

const forwardingHeaders = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'] as const

/** A client on this machine itself, such as a load generator; not a proxy on it that forwards for others. */
export function isLocalClient({ headers, socket }: Request): boolean {
  return isLoopbackPeer(socket) && forwardingHeaders.every(name => headers[name] === undefined)
}

export function isLoopbackPeer({ remoteAddress }: Pick<Request['socket'], 'remoteAddress'>): boolean {
  if (remoteAddress === '127.0.0.1') return true
  const peer = normalizeAddress(remoteAddress ?? '')
  return peer !== undefined && loopback.check(peer, familyOf(peer))
}

const loopback = blockList(['127.0.0.0/8', '::1'])

/** What is no network is left out; the configuration has been checked. */
function blockList(networks: string[]): BlockList {
  const list = new BlockList()
  for (const { address, prefixLength, family } of networks.flatMap(text => parseNetwork(text) ?? []))
    list.addSubnet(address, prefixLength, family)
  return list
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
