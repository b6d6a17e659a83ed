import { normalizeHost } from '../hosts/own-hosts.ts'

/** What a redirect needs to know about a link. */
export interface Link {
  id: number
  /** As it is sent in Location. */
  longUrl: string
  /** Milliseconds since 1970; from this moment on the link is expired. */
  expiresAt: number | undefined
  /** The target's host, normalized, if its path is not empty: it may be a link of this service. */
  targetHost: string | undefined
  /** Undefined for most links: following one costs a single comparison then. */
  rules: LinkRules | undefined
}

/** Times are milliseconds since 1970. */
export interface LinkRules {
  isDisabled: boolean
  deletedAt: number | undefined
  /** Before this moment the link does not exist for visitors. */
  validFrom: number | undefined
  /** Where an expired or exhausted link leads. */
  expiredUrl: string | undefined
  maxVisits: number | undefined
  /** The visitor's query is appended to the target's. */
  forwardQuery: boolean
}

export function createLink(
  id: number,
  longUrl: string,
  expiresAt: number | undefined,
  rules?: LinkRules,
): Link {
  return {
    id,
    longUrl: asHeader(longUrl),
    expiresAt,
    targetHost: targetHostOf(longUrl),
    rules:
      rules === undefined || isPlain(rules)
        ? undefined
        : { ...rules, expiredUrl: rules.expiredUrl && asHeader(rules.expiredUrl) },
  }
}

/**
 * The URL as it is, if it is one: RFC 3986 has visible ASCII characters only. A row that was written by hand may have any
 * text, and Node throws on a header with a line break or a character beyond Latin-1.
 */
function asHeader(url: string): string {
  return /^[\x21-\x7e]*$/.test(url) ? url : url.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent)
}

export function targetHostOf(url: string): string | undefined {
  const host = /^https?:\/\/([^/?#]+)\/[^?#]/.exec(url)?.[1]
  return host === undefined ? undefined : normalizeHost(host)
}

function isPlain(rules: LinkRules): boolean {
  return Object.values(rules).every(rule => rule === undefined || rule === false)
}

export function isExpired(link: Link, now: number): boolean {
  return link.expiresAt !== undefined && link.expiresAt <= now
}

/** What a visitor finds; the first that applies. Whether max_visits are used up is not known here. */
export type LinkState = 'deleted' | 'disabled' | 'scheduled' | 'expired' | 'open'

export function stateOf(link: Link, now: number): LinkState {
  const { rules } = link
  if (rules?.deletedAt !== undefined) return 'deleted'
  if (rules?.isDisabled) return 'disabled'
  if (rules?.validFrom !== undefined && now < rules.validFrom) return 'scheduled'
  return isExpired(link, now) ? 'expired' : 'open'
}
