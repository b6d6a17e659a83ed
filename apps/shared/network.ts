/** Addresses and CIDR blocks, as TRUST_PROXY lists them. */
import { isIP, isIPv6 } from 'node:net'
import { normalizeAddress } from './client-address.ts'

export interface Network {
  address: string
  family: 'ipv4' | 'ipv6'
  prefixLength: number
}

/** Undefined: it is none. A block of IPv4 addresses mapped into IPv6 (`::ffff:10.0.0.0/104`) is the block of IPv4 addresses. */
export function parseNetwork(text: string): Network | undefined {
  const [given = '', length, ...rest] = text.trim().split('/')
  if (isIP(given) === 0 || rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length)))
    return undefined
  const address = normalizeAddress(given) ?? given
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  const longest = family === 'ipv6' ? 128 : 32
  const isMapped = family === 'ipv4' && isIPv6(given)
  const prefixLength = Number(length ?? (isMapped ? 128 : longest)) - (isMapped ? 96 : 0)
  return prefixLength < 0 || prefixLength > longest ? undefined : { address, family, prefixLength }
}

/**
 * The largest private networks are 10.0.0.0/8 and fc00::/7, and no proxy has more addresses than that: a larger block, or
 * 0.0.0.0/1 beside 128.0.0.0/1, is meant for everybody.
 */
export function containsStrangers({ family, prefixLength }: Network): boolean {
  return prefixLength < (family === 'ipv4' ? 8 : 7)
}

/** Whether a server that listens there can be reached from this machine only. */
export function isLoopbackHost(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true
  const address = normalizeAddress(host)
  return address !== undefined && (address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address))
}
