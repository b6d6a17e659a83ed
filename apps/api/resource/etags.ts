/** Entity tags and the conditions on them (RFC 9110, sections 8.8.3 and 13.1). A link's tag is its version. */
import type { LinkRow } from './link-rows.ts'

export function etagOf({ version }: Pick<LinkRow, 'version'>): string {
  return `"${version}"`
}

/** Whether `If-Match` allows a change. Tags are compared strongly: a weak one never matches. */
export function matches(ifMatch: string | undefined, etag: string): boolean {
  if (ifMatch === undefined || ifMatch.trim() === '*') return true
  return entityTags(ifMatch).includes(etag)
}

/** Whether a client with this `If-None-Match` has the current version. Tags are compared weakly. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.trim() === '*' || entityTags(ifNoneMatch).some(tag => tag.replace(/^W\//, '') === etag)
}

/** A header that is no list of entity tags has none. */
function entityTags(header: string): string[] {
  const tag = '(?:W/)?"[\\x21\\x23-\\x7E\\x80-\\xFF]*"'
  if (!new RegExp(`^[\\s,]*${tag}(?:[\\s,]+${tag})*[\\s,]*$`).test(header)) return []
  return header.match(new RegExp(tag, 'g')) ?? []
}
