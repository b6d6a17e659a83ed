/** The part of a referrer that is worth reading: anybody can send any text as one. */

export interface ReferrerAddress {
  /** Lower case; a domain in its ASCII form, an IP address, or an app's id. */
  host: string
  /** For app referrers, whose host is an app's id. */
  isApp: boolean
  /** With its leading slash, as sent. */
  path: string
  query: string
}

/** What recording keeps of a referrer (visit-batch.ts). */
const maxText = 2_048
/** RFC 1035, section 2.3.4. */
const maxHost = 253
/** No nested repetition: anybody can send what is matched. */
const safeHost = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/
const ipv6Host = /^\[[0-9a-f:.]+\]$/
const schemes = new Set(['http:', 'https:', 'android-app:', 'ios-app:'])

/**
 * Undefined where no site or app is named: no referrer, `about:`, `file:`, an extension's page, junk. Port and user are
 * dropped. The host that is returned holds only letters, digits and `-_.`, or is an IPv6 address in brackets.
 */
export function readReferrerAddress(referrer: string): ReferrerAddress | undefined {
  const url = URL.parse(referrer.length > maxText ? referrer.slice(0, maxText) : referrer)
  if (url === null || !schemes.has(url.protocol)) return undefined
  // A fully qualified name may end in a dot. App ids keep their case in a URL.
  const host = url.hostname.toLowerCase().replace(/\.$/, '')
  if (host.length > maxHost || !(safeHost.test(host) || ipv6Host.test(host))) return undefined
  return {
    host,
    isApp: url.protocol === 'android-app:' || url.protocol === 'ios-app:',
    path: url.pathname,
    query: url.search,
  }
}
