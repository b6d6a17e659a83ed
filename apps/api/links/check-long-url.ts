/**
 * Decides which URLs a link may point to, without using the network.
 *
 * An accepted URL is stored as `URL.href` with everything percent-encoded that RFC 3986 does not allow, so that the
 * `Location` of a redirect is a URI and means the same to every client. The raw text is checked first: the WHATWG URL parser repairs its input
 * (https://url.spec.whatwg.org/#concept-basic-url-parser drops tabs and line breaks, trims, adds slashes, and turns
 * backslashes into slashes), and a text that needs repair is a mistake or a disguise.
 *
 * Names are not resolved: a name may resolve differently a moment later, and that only matters to the visitor, since
 * Hopcount itself never requests a target.
 */
import { isIPv4 } from 'node:net'
import { unescape as percentDecode } from 'node:querystring'
import { domainName } from '@hopcount/shared/domain-names.ts'
import { isPublicAddress } from '@hopcount/shared/public-address.ts'
import { normalizeHost } from '../hosts/own-hosts.ts'

/** Why links may not lead to this host, as `URL.hostname`; undefined: they may. May throw what keeps it from knowing. */
export type DomainCheck = (hostname: string) => 'blocked' | 'not allowed' | undefined

export interface LongUrlOptions {
  /** Whether this service is reached under the host, as `normalizeHost` spells it. */
  isOwnHost: (host: string) => boolean
  /** Lets links point to loopback, link-local, private and other addresses that are not public. */
  allowPrivateTargets: boolean
  domains: DomainCheck
}

/** The maximum length of a URL: 2,048 bytes, which browsers, proxies and messengers handle without truncation. */
export const maxHrefBytes = 2_048

/** The URL as it is stored, or what is wrong with it: a sentence that never repeats the input. */
export function checkLongUrl(text: string, options: LongUrlOptions): { href: string } | { problem: string } {
  const textProblem = findTextProblem(text)
  if (textProblem !== undefined) return { problem: textProblem }

  const authority = findAuthority(text)
  if (authority === undefined) {
    return { problem: 'long_url must begin with http:// or https://, followed by a host.' }
  }
  const authorityProblem = findAuthorityProblem(authority)
  if (authorityProblem !== undefined) return { problem: authorityProblem }

  const url = URL.parse(text)
  if (url === null) return { problem: 'long_url is not a valid URL.' }
  const href = toUri(url.href)
  // An href is ASCII, so its length is its size in bytes.
  if (href.length > maxHrefBytes) {
    return { problem: `long_url must not be longer than ${maxHrefBytes} bytes, percent-encoding included.` }
  }

  const hostProblem = findHostProblem(url, options)
  return hostProblem === undefined ? { href } : { problem: hostProblem }
}

/**
 * The URL Standard leaves characters as they are that RFC 3986 (section 2) does not allow: `|`, `^`, brackets, braces,
 * quotes, backslashes, and a % that encodes nothing. Browsers don't mind them in a `Location`, but Go rejects `/100%` and
 * Java `?q=a|b`. Servers decode both forms to the same text.
 */
function toUri(href: string): string {
  if (plainUri.test(href)) return href
  const pathAt = href.indexOf('/', 'https://'.length)
  const [beforeFragment = '', ...fragment] = href.slice(pathAt).split('#')
  const parts = fragment.length === 0 ? [beforeFragment] : [beforeFragment, fragment.join('%23')]
  return href.slice(0, pathAt) + parts.map(part => part.replace(notInUri, encodeAscii)).join('#')
}

/** As most URLs are: nothing to encode, and no fragment. */
const plainUri = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/?]*$/

const notInUri = /%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]/g

function encodeAscii(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

function findTextProblem(text: string): string | undefined {
  // Most URLs are visible ASCII, in which only a backslash can be wrong.
  if (/^[!-[\]-~]*$/.test(text)) return undefined
  // A lone surrogate would silently become U+FFFD (https://infra.spec.whatwg.org/#scalar-value-string).
  if (!text.isWellFormed()) return 'long_url must not contain half of a surrogate pair.'
  if (/\p{Cc}/u.test(text)) {
    return 'long_url must not contain control characters such as tabs and line breaks.'
  }
  if (text.trim() !== text) return 'long_url must not begin or end with white space.'
  // In the query and the fragment a backslash is an ordinary character; before them it would be parsed as a slash.
  if (/^[^?#]*\\/.test(text)) return 'long_url must use slashes, not backslashes.'
  const shown = text.replace(visibleSequences, '')
  if (invisibleAtEnd.test(shown)) return 'long_url must not end with an invisible character.'
  const path = shown.replace(/^[^/?#]*\/\/[^/?#]*/, '').replace(/[?#].*$/s, '')
  if (invisible.test(path)) return 'long_url must not contain invisible characters in its path.'
  return undefined
}

/** The part between `//` and the path, for http and https only: `user@host:port`, RFC 3986 section 3.2. */
function findAuthority(text: string): string | undefined {
  return /^https?:\/\/([^/?#]+)/i.exec(text)?.[1]
}

function findAuthorityProblem(authority: string): string | undefined {
  // `https://bank.example@evil.example` leads to evil.example (RFC 3986 section 7.6).
  if (authority.includes('@')) return 'long_url must not contain a user name or password.'
  const port = /:(\d+)$/.exec(authority)?.[1]
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) {
    return 'long_url must have a port from 1 to 65535, or none.'
  }
  // This decoder ignores invalid percent-encoding, where decodeURIComponent throws.
  if (/[^!-$&-~]/.test(authority) && invisible.test(percentDecode(authority).replace(visibleSequences, ''))) {
    return 'long_url must not contain invisible characters in its host.'
  }
  return undefined
}

/**
 * Characters that are invisible or change the direction of the text: soft hyphen, zero-width space, bidi controls,
 * variation selectors (Unicode property Default_Ignorable_Code_Point), and the blank Braille pattern. UTS 46 drops most
 * of them, so one host could look like another; in a path they are sent, and come from text that was copied from a page.
 * The two joiners are allowed: Persian and Indic names need them, and in a host the parser accepts them only there
 * (RFC 5892 appendices A.1 and A.2).
 */
const invisible = /[[\p{Default_Ignorable_Code_Point}\u2800]--[\u200C\u200D]]/v
/** In a query or fragment direction marks are part of what somebody searched for, unless they are last. */
const invisibleAtEnd = /[\p{Default_Ignorable_Code_Point}\u2800]$/v

/**
 * Invisible characters that belong to the one before: phones write ☺ with U+FE0F, the selector of its coloured form, and
 * 1️⃣ as three characters; flags of regions end in tags, and Han characters have variants (UTS 51, UTS 37).
 */
const visibleSequences =
  /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}])[\uFE0E\uFE0F]|(?<=[0-9#*])\uFE0F(?=\u20E3)|(?<=\u{1F3F4})[\u{E0020}-\u{E007E}]+\u{E007F}|(?<=\p{Ideographic})[\u{E0100}-\u{E01EF}]/gv

function findHostProblem(url: URL, options: LongUrlOptions): string | undefined {
  const host = withoutFinalDot(url.hostname)
  if (!isWellFormedHost(host)) {
    return 'long_url must have a host that is a valid domain name or address.'
  }
  // Another port of the same host is another service.
  if (options.isOwnHost(normalizeHost(url.host))) {
    return 'long_url must not point to this service itself: the redirect might never end.'
  }
  if (!options.allowPrivateTargets && !isPublicHost(host)) {
    return 'long_url must point to a public host, not to a loopback, link-local, private or reserved one.'
  }
  switch (options.domains(url.hostname)) {
    case 'blocked':
      return 'long_url must not point to this domain: links to it are not allowed here.'
    case 'not allowed':
      return 'long_url must point to one of the domains that are allowed here.'
  }
  return undefined
}

/** `hop.example.` and `hop.example` are the same host (RFC 1034 section 3.1). */
function withoutFinalDot(hostname: string): string {
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
}

/**
 * The parser accepts hosts that no resolver can look up. A name has at most 253 characters (RFC 1035 section 2.3.4, without
 * the length byte and the root), some of which may be underscores. Labels that begin with `xn--` are not decoded: of a host in ASCII the URL Standard passes
 * even those that UTS 46 finds invalid (whatwg/url#914), and Chromium opens them.
 */
function isWellFormedHost(host: string): boolean {
  return host.startsWith('[') || (host.length <= 253 && domainName.test(host))
}

function isPublicHost(host: string): boolean {
  // The parser has normalized every spelling of an IPv4 address (127.1, 0x7f000001, 2130706433) to four decimals.
  if (host.startsWith('[') || isIPv4(host)) return isPublicAddress(host.replace(/^\[|\]$/g, ''))
  // A name without a dot is resolved on the visitor's own network (IAB, Dotless Domains Considered Harmful, 2013).
  return host.includes('.') && !localName.test(host)
}

/**
 * Names of the visitor's own machine or network: localhost (RFC 6761 section 6.3), local (RFC 6762 section 3), internal
 * (reserved by ICANN, 2024-07-29), home.arpa (RFC 8375), the private top-level domains in common use before that
 * (RFC 6762 appendix G), and localhost.localdomain of many hosts files.
 */
const localName = /\.(localhost|local|internal|home\.arpa|intranet|private|corp|home|lan|localdomain)$/
