/**
 * Links whose damage can't be decoded: cut off within a percent-encoding (`/tour%`, `/tour%E2%80`), or encoded from
 * Latin-1 or Windows-1252 (`/tour%A0`, `/tour%96`), as old mail programs do. The router would refuse such a path.
 */

/** The router's limit for a slug; it also bounds the search for the damage. */
const maxPathLength = 512

/** Bytes beyond ASCII, and what is left of the last one, at the end of a path. */
const undecodable = /(?:%[89a-f][0-9a-f])*(?:%[0-9a-f]?)?$/i

/** The URL with such damage replaced by one U+FFFD, as any damage is repaired; other URLs as they are. */
export function replaceCutEncoding(url: string): string {
  if (!url.includes('%')) return url
  const [path = ''] = url.split('?', 1)
  if (path.length > maxPathLength || !/^\/[\w-][^/]*$/.test(path) || canBeDecoded(path)) return url
  const kept = path.replace(undecodable, '')
  return canBeDecoded(kept) ? `${kept}%EF%BF%BD${url.slice(path.length)}` : url
}

function canBeDecoded(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}
