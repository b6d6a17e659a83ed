/** The `Link` header of a list (RFC 8288). */
import type { Page } from './list-page.ts'
import type { ListQuery } from './list-schema.ts'

export function pageLinks(query: ListQuery, { prev, next }: Page): { link?: string } {
  const links = [
    prev !== undefined && `<${pathOf(query, { before: prev })}>; rel="prev"`,
    next !== undefined && `<${pathOf(query, { after: next })}>; rel="next"`,
  ].filter(link => link !== false)
  return links.length === 0 ? {} : { link: links.join(', ') }
}

function pathOf(query: ListQuery, position: Record<string, string>): string {
  const { search, tag = [], status, sort, window, sparkline, limit } = query
  const parameters = new URLSearchParams({
    limit: String(limit),
    ...(search !== undefined && { search }),
    ...(status !== undefined && { status }),
    ...(sort !== 'newest' && { sort }),
    ...(window !== undefined && { window }),
    ...(sparkline && { sparkline: 'true' }),
    ...position,
  })
  for (const each of tag) parameters.append('tag', each)
  return `/api/links?${parameters}`
}
