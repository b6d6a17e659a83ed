import type { HistoryEntry as Change } from '../../../api/audit/audit-schema.ts'
import type { LinkResource as Link, LinkPatch, NewLinkBody } from '../../../api/resource/link-schema.ts'
import type { ListedLinkResource as LinkWithVisits } from '../../../api/resource/list/list-schema.ts'
import type { Address } from '../address.ts'
import { browserZone } from '../address.ts'
import { fileFormat } from './file-format.ts'
import { send } from './send.ts'
import { searchedText } from './stats.ts'

export type { Change, Link, LinkPatch, LinkWithVisits }

const linksPerPage = '25'

/** A page of all links, with or without visits. */
export function linksUrl({ search, status, tags, sort, window, after, until }: Address): string {
  const query = new URLSearchParams({ limit: linksPerPage, sort, window, sparkline: 'true' })
  setFilters(query, { search, status, tags })
  if (after !== undefined) query.set('after', after)
  else if (until !== undefined) query.set('before', until)
  return `/api/links?${query}`
}

function setFilters(
  query: URLSearchParams,
  { search, status, tags }: Pick<Address, 'search' | 'status' | 'tags'>,
): void {
  if (search !== undefined) query.set('search', searchedText(search))
  if (status !== undefined) query.set('status', status)
  for (const tag of tags) query.append('tag', tag)
}

export const linkPath = (slug: string) => `/api/links/${encodeURIComponent(slug)}`

export const readLink = (slug: string) => send<Link>('GET', linkPath(slug))

export const createLink = (body: NewLinkBody) => send<Link>('POST', '/api/links', { body })

/** @param ifMatch refuses the change (412) if the link isn't as it was read any more */
export const changeLink = (slug: string, body: LinkPatch, ifMatch?: string) =>
  send<Link>('PATCH', linkPath(slug), { body, ifMatch })

export const deleteLink = (slug: string) => send('DELETE', linkPath(slug))

export function historyUrl(slug: string, after: string | undefined): string {
  return `${linkPath(slug)}/history?${new URLSearchParams({ limit: '50', ...(after !== undefined && { after }) })}`
}

/** The links of a list, all its pages, as a file. */
export function exportLinksUrl({ search, status, tags, zone }: Address): string {
  const query = new URLSearchParams({ ...fileFormat('excel'), tz: zone ?? browserZone() })
  setFilters(query, { search, status, tags })
  return `/api/links/export?${query}`
}
