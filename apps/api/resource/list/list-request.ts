/** What a list shows, from the query string of the request. */
import type { FastifyRequest } from 'fastify'
import { actorOf, allows } from '../../access/actor.ts'
import { Problem } from '../../errors/problem.ts'
import { tagKey } from '../../links/link-fields.ts'
import { linkOrigin, ownHostCheck, slugOfShortUrl } from '../../links/short-urls.ts'
import { queryProblem } from '../../stats/series/series-range.ts'
import type { TopSort } from '../../stats/top-links/ranked-page.ts'
import type { LinkContext } from '../link-context.ts'
import type { ListFilter, Order } from './list-conditions.ts'
import type { Place } from './list-page.ts'
import type { ListQuery } from './list-schema.ts'

/** Everything that a list depends on besides the database. */
export interface ListRequest {
  query: ListQuery
  filter: ListFilter
  sort: { creation: Order } | { visits: TopSort }
  after: Place | undefined
  before: Place | undefined
  /** What short URLs begin with. */
  origin: string
  /** Whether the client may see visits. */
  hasStats: boolean
}

export function readRequest(
  context: LinkContext,
  request: FastifyRequest<{ Querystring: ListQuery }>,
): ListRequest {
  const { query } = request
  const { sort } = query
  const byCreation = sort === 'newest' || sort === 'oldest'
  const hasStats = allows(actorOf(request), 'stats:read')
  if (query.after !== undefined && query.before !== undefined)
    throw queryProblem('before', 'Please use either after or before.')
  if (sort === 'growth' && (query.window ?? 'all') === 'all')
    throw queryProblem('sort', 'Growth needs a window: please add window=24h, 7d or 30d.')
  if (!byCreation && !hasStats)
    throw new Problem(403, 'The key lacks the scope stats:read, which sorting by visits needs.')
  return {
    query,
    filter: readFilter(query, ownHostCheck(context, request)),
    sort: byCreation ? { creation: sort } : { visits: sort },
    after: readPlace('after', query, byCreation),
    before: readPlace('before', query, byCreation),
    origin: linkOrigin(context, request),
    hasStats,
  }
}

export function readFilter(
  query: Pick<ListQuery, 'search' | 'tag' | 'status'>,
  isOwnHost: (host: string) => boolean,
): ListFilter {
  const { search, tag = [], status } = query
  const text = search === undefined ? undefined : checkText('search', search)
  const slug = text === undefined ? undefined : slugOfShortUrl(text, isOwnHost)
  return {
    ...(slug === undefined ? { search: text || undefined } : { slug }),
    tagKeys: tag.map(each => tagKey(checkText('tag', each))),
    state: status,
  }
}

/** PostgreSQL has no NUL, and no stored text has another control character. */
function checkText(parameter: string, text: string): string {
  if (/\p{Cc}/u.test(text)) throw queryProblem(parameter, `${parameter} must not contain control characters.`)
  return text.normalize('NFC').trim()
}

/** A place of another order means nothing in this one. */
function readPlace(parameter: 'after' | 'before', query: ListQuery, byCreation: boolean): Place | undefined {
  const text = query[parameter]
  if (text === undefined) return undefined
  if (text.includes('.') === byCreation)
    throw queryProblem(parameter, `${parameter} is from a list that is sorted in another way.`)
  const [linkId = 0, value = 0] = text.split('.').map(Number).reverse()
  return { value: Math.min(value, Number.MAX_SAFE_INTEGER), linkId }
}
