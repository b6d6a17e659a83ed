import { normalizeHost } from '../hosts/own-hosts.ts'

/** What a redirect needs to know about a link. */
export interface Link {
  id: number
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
    longUrl,
    expiresAt,
    targetHost: targetHostOf(longUrl),
    rules: isPlain(rules) ? undefined : rules,
  }
}

export function targetHostOf(url: string): string | undefined {
  const host = /^https?:\/\/([^/?#]+)\/[^?#]/.exec(url)?.[1]
  return host === undefined ? undefined : normalizeHost(host)
}

function isPlain(rules: LinkRules | undefined): boolean {
  return rules === undefined || Object.values(rules).every(rule => rule === undefined || rule === false)
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
