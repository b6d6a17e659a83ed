/** One form for each client address, wherever it came from: a socket, or a header that a proxy wrote. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net'

/**
 * The bare address in its canonical form: without port (`203.0.113.7:1001`, `[2001:db8::1]:443`), brackets, quotes (as in
 * Forwarded, RFC 7239, section 6), zone (`fe80::1%eth0`, RFC 4007, section 11), and as IPv4 where it is one mapped into
 * IPv6 (`::ffff:203.0.113.7`, RFC 4291, section 2.5.5.2). Undefined for what is no address, as `unknown`.
 */
export function normalizeAddress(text: string): string | undefined {
  // What nearly every request has, from its socket or from a proxy.
  if (isIPv4(text)) return text
  const [, bracketed, plain = ''] = /^"?(?:\[([^\]]*)\](?::\d+)?|([^"[\]]*))"?$/.exec(text.trim()) ?? []
  const [address = ''] = (bracketed ?? plain.replace(/^([\d.]+):\d+$/, '$1')).split('%')
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return undefined
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address
  return mappedIpv4(canonical) ?? canonical
}

/** Of `::ffff:203.0.113.7`, which is how inet_ntop(3) writes every spelling of it. */
function mappedIpv4(canonical: string): string | undefined {
  const ipv4 = /^::ffff:([\d.]+)$/.exec(canonical)?.[1]
  return ipv4 !== undefined && isIPv4(ipv4) ? ipv4 : undefined
}

/**
 * What one client has to itself: an IPv4 address, or the /64 of an IPv6 one (RFC 6177: a site gets at least that much),
 * in which devices change their addresses as they like (RFC 8981). `address` in canonical form.
 */
export function clientNetwork(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : 8 - first.length - last.length
  return `${[...first, ...Array.from({ length: missing }, () => '0'), ...last].slice(0, 4).join(':')}::`
}
