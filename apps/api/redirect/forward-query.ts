/** Appends the visitor's query to the target, where the link asks for it. */

/** Longer targets are refused by many servers and proxies. */
const maxLength = 8_192

/**
 * The target with the query of the requested URL appended, before the target's fragment. Parameters stay as they are, also
 * where the target has one of the same name: its server decides which one counts. Characters that RFC 3986 does not allow
 * in a query are percent-encoded, as bytes: Node reads a request's URL as Latin-1.
 */
export function forwardQuery(target: string, requestedUrl: string): string {
  const begin = requestedUrl.indexOf('?') + 1
  if (begin === 0 || begin === requestedUrl.length) return target
  const query = requestedUrl.slice(begin).replace(disallowed, percentEncode)
  const fragmentAt = target.indexOf('#')
  const base = fragmentAt === -1 ? target : target.slice(0, fragmentAt)
  const fragment = fragmentAt === -1 ? '' : target.slice(fragmentAt)
  const forwarded = `${base}${joiner(base)}${query}${fragment}`
  return forwarded.length <= maxLength ? forwarded : target
}

/** Section 3.4: pchar, `/` and `?`. */
const disallowed = /%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]/g

function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

function joiner(base: string): '' | '?' | '&' {
  if (!base.includes('?')) return '?'
  return /[?&]$/.test(base) ? '' : '&'
}
