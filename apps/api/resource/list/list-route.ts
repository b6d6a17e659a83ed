/** `GET /api/links`: all links, newest first, searched by text, tag and state. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { actorOf } from '../../access/actor.ts'
import { Problem, problemResponses } from '../../errors/problem.ts'
import { perMinute } from '../../limits/rate-limits.ts'
import { tagKey } from '../../links/link-fields.ts'
import { linkOrigin, ownHostCheck, slugOfShortUrl } from '../../links/short-urls.ts'
import type { LinkContext } from '../link-context.ts'
import { describeLink, readRows } from '../link-rows.ts'
import { refusals } from '../route-schemas.ts'
import type { ListFilter } from './list-queries.ts'
import { findPage } from './list-queries.ts'
import type { ListQuery } from './list-schema.ts'
import { ListQuerySchema, ListSchema } from './list-schema.ts'

export const listRoute: FastifyPluginAsyncTypebox<LinkContext> = async (app, context) => {
  const { pool } = context

  app.get(
    '/api/links',
    {
      config: { access: 'links:read', ...perMinute(context.readsPerMinute, 'stats') },
      schema: {
        operationId: 'listLinks',
        summary: 'All links',
        description:
          'A page of a search may have fewer links than `limit`, even none, although there are more: as long as there is a `Link` header, there is a next page.',
        querystring: ListQuerySchema,
        response: {
          200: {
            ...ListSchema,
            description: 'in the order of `sort`, by creation',
            headers: { link: { type: 'string', description: 'the next page, rel="next"' } },
          },
          ...problemResponses(refusals),
        },
      },
    },
    async (request, reply) => {
      const { query } = request
      const { ids, next } = await findPage(pool, readFilter(query, ownHostCheck(context, request)))
      const rows = ids.length === 0 ? [] : await readRows(pool, ids)
      const origin = linkOrigin(context, request)
      const actor = actorOf(request)
      if (next !== undefined) reply.header('link', `</api/links?${nextQuery(query, next)}>; rel="next"`)
      return reply.header('cache-control', 'no-store').send(rows.map(row => describeLink(row, origin, actor)))
    },
  )
}

function readFilter(query: ListQuery, isOwnHost: (host: string) => boolean): ListFilter {
  const { search, tag = [], status, sort, limit, after } = query
  const text = search === undefined ? undefined : checkText('search', search)
  const slug = text === undefined ? undefined : slugOfShortUrl(text, isOwnHost)
  return {
    ...(slug === undefined ? { search: text } : { slug }),
    tagKeys: tag.map(each => tagKey(checkText('tag', each))),
    state: status,
    sort,
    limit,
    after: after === undefined ? undefined : Number(after),
  }
}

/** PostgreSQL has no NUL, and no stored text has another control character. */
function checkText(parameter: string, text: string): string {
  if (/\p{Cc}/u.test(text))
    throw new Problem(400, `${parameter} must not contain control characters.`, {
      errors: [{ pointer: `#/${parameter}`, detail: 'must not contain control characters' }],
    })
  return text.normalize('NFC').trim()
}

function nextQuery(query: ListQuery, after: number): string {
  const { tag = [], sort, limit } = query
  const parameters = new URLSearchParams({ limit: String(limit) })
  if (query.search !== undefined) parameters.set('search', query.search)
  for (const each of tag) parameters.append('tag', each)
  if (query.status !== undefined) parameters.set('status', query.status)
  if (sort !== 'newest') parameters.set('sort', sort)
  parameters.set('after', String(after))
  return parameters.toString()
}
