/** Domains as rules name them, and the hosts of targets, in one spelling. */
import { isIP, isIPv6 } from 'node:net'
import { normalizeAddress } from './client-address.ts'

/**
 * The spelling of a domain by which it is compared: in lower case, international names as punycode, without a final dot
 * and without a `*.` before it; of an IP address the canonical one. Undefined: it is neither a domain nor an address.
 */
export function parseDomain(text: string): string | undefined {
  const given = text.trim().replace(/^\*?\.(?=.)/, '')
  const host = isIPv6(given) ? `[${given}]` : given
  // A URL, a user, percent-encoding, or a port.
  if (/[/?#@\\%\s]/.test(host) || /^[^[]*:|\]./.test(host)) return undefined
  const url = URL.parse(`http://${host}`)
  if (url === null) return undefined
  const domain = normalizeHostname(url.hostname)
  return isIP(domain) !== 0 || (domain.length <= 253 && domainName.test(domain)) ? domain : undefined
}

/** @param hostname `URL.hostname`, which has every spelling of an IPv4 address (127.1, 0x7f000001) as four decimals */
export function normalizeHostname(hostname: string): string {
  if (hostname.startsWith('[')) return normalizeAddress(hostname) ?? hostname
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
}

/** Labels of letters, digits, hyphens and underscores, 1–63 of them each (RFC 1123, section 2.1; RFC 1035, section 2.3.4). */
export const domainName = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/

/** Whether the set has this host or a domain above it. @param host normalized */
export function covers(domains: { has(domain: string): boolean; size: number }, host: string): boolean {
  if (domains.size === 0) return false
  // Nothing is above an address.
  if (isIP(host) !== 0) return domains.has(host)
  for (let domain = host; ; ) {
    if (domains.has(domain)) return true
    const dot = domain.indexOf('.')
    if (dot === -1) return false
    domain = domain.slice(dot + 1)
  }
}
