/** What a redirect needs to know about a link. */
export interface Link {
  id: number
  longUrl: string
  /** Milliseconds since 1970; from this moment on the link is expired. */
  expiresAt: number | undefined
}

export function isExpired(link: Link, now: number): boolean {
  return link.expiresAt !== undefined && link.expiresAt <= now
}
