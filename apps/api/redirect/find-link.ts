/** Finds the link that a request means: the slug as requested, or what a damaged link meant. */
import { holdsKey } from '../access/secrets.ts'
import { slugPattern } from '../links/check-slug.ts'
import type { Link } from '../links/link.ts'
import type { SlugResolver } from './lookup/resolve-slug.ts'
import { slugsMeantBy } from './repair-slug.ts'

/** Undefined: there is no such link. Rejects when that can't be looked up. */
export async function findLink(
  resolver: Pick<SlugResolver, 'cached' | 'resolve'>,
  requested: string,
): Promise<Link | undefined> {
  const asRequested = slugPattern.test(requested) ? [requested] : []
  for (const slug of [...asRequested, ...slugsMeantBy(requested)]) {
    const link = resolver.cached(slug) ?? (await resolver.resolve(slug))
    if (link !== undefined) return link
  }
  return undefined
}

/**
 * What is counted when no link was found; undefined: nothing, since no slug is in it (`/wp-login.php`).
 *
 * A damaged link is counted as it was requested, so that its damage can be seen. Anybody can request anything, so only
 * visible characters are kept as they are and the length is bounded: the text is inert in pages, logs and files.
 */
export function orphanOf(requested: string): string | undefined {
  // Pasted into the address bar by mistake: statistics must not show it to others.
  if (holdsKey(requested)) return undefined
  if (slugPattern.test(requested)) return requested
  if (slugsMeantBy(requested).length === 0) return undefined
  const shown = requested.toWellFormed().replace(/[^\p{L}\p{N}\p{P}\p{S}]/gu, encodeURIComponent)
  return shown.length <= maxOrphanLength ? shown : `${shown.slice(0, maxOrphanLength - 1).toWellFormed()}…`
}

const maxOrphanLength = 80

/**
 * The path of a damaged link whose damage contains a slash, such as `/tour/`, `/tour/)` or `//tour`; undefined for any
 * other path, such as `/tour/extra/path`, and for those below a route.
 * @param routes words in place of a slug that lead to a route, in lower case
 */
export function slugWithSlash(url: string, routes: ReadonlySet<string>): string | undefined {
  const [path = ''] = url.split('?', 1)
  if (path.length > maxPathLength || !/^\/(?:\/|[^/]+\/)/.test(path)) return undefined
  const requested = decodePath(path.replace(/^\/+/, ''))
  const [word = ''] = requested.split('/', 1)
  if (routes.has(word.toLowerCase())) return undefined
  return slugPattern.test(requested) || slugsMeantBy(requested).length > 0 ? requested : undefined
}

const maxPathLength = 512

/** The empty text if it can't be decoded. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return ''
  }
}
