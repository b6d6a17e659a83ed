import { normalizeHost } from '../own-hosts.ts'

/** What a redirect needs to know about a link. */
export interface Link {
  id: number
  longUrl: string
  /** Milliseconds since 1970; from this moment on the link is expired. */
  expiresAt: number | undefined
  /** The target's host, normalized, if its path is not empty: it may be a link of this service. */
  targetHost: string | undefined
}

export function createLink(id: number, longUrl: string, expiresAt: number | undefined): Link {
  const host = /^https?:\/\/([^/?#]+)\/[^?#]/.exec(longUrl)?.[1]
  return { id, longUrl, expiresAt, targetHost: host === undefined ? undefined : normalizeHost(host) }
}

export function isExpired(link: Link, now: number): boolean {
  return link.expiresAt !== undefined && link.expiresAt <= now
}
