/** `GET /api/links`: all links, newest first, searched by text, tag and state. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { databaseOn } from '@hopcount/shared/database/query-builder.ts'
import type { Actor } from '../../access/actor.ts'
import { actorOf, allows } from '../../access/actor.ts'
import { Problem, problemResponses } from '../../errors/problem.ts'
import { perMinute } from '../../limits/rate-limits.ts'
import { linkOrigin, ownHostCheck } from '../../links/short-urls.ts'
import { countsOf } from '../../stats/counts.ts'
import { freshnessHeaderSchemas, freshnessHeaders, notModified } from '../../stats/shared-responses.ts'
import { sparklines } from '../../stats/top-links/top-links-queries.ts'
import { isKnown } from '../etags.ts'
import type { LinkContext } from '../link-context.ts'
import type { LinkRow } from '../link-rows.ts'
import { describeLink, readRows } from '../link-rows.ts'
import { refusals } from '../route-schemas.ts'
import { createLinkCounter } from './count-links.ts'
import { readCounts } from './list-counts.ts'
import { readFilter } from './list-filter.ts'
import { pageLinks } from './list-links.ts'
import { readPage } from './list-page.ts'
import type { ListFilter } from './list-queries.ts'
import type { ListedLinkResource, ListQuery } from './list-schema.ts'
import { ListQuerySchema, ListSchema, listHeaderSchemas } from './list-schema.ts'
import type { ReadList } from './shared-lists.ts'
import { createSharedLists } from './shared-lists.ts'

/** What a list depends on besides the database. */
interface ListRequest {
  query: ListQuery
  filter: ListFilter
  /** What short URLs begin with. */
  origin: string
  /** Whether the client may see visits. */
  hasStats: boolean
}

export const listRoute: FastifyPluginAsyncTypebox<LinkContext> = async (app, context) => {
  const { pool, freshness } = context
  const database = databaseOn(pool)
  const countLinks = createLinkCounter(pool)
  const sharedLists = createSharedLists()

  app.get(
    '/api/links',
    {
      config: { access: 'links:read', ...perMinute(context.readsPerMinute, 'stats') },
      schema: {
        operationId: 'listLinks',
        summary: 'All links',
        description:
          'A page of a search may have fewer links than `limit`, even none, although there are more: as long as `Link` has a next page, there is one. Every link that was created or changed before the request is in the list as it is.',
        querystring: ListQuerySchema,
        response: {
          200: {
            ...ListSchema,
            description: 'in the order of `sort`, by creation',
            headers: { ...listHeaderSchemas, ...freshnessHeaderSchemas },
          },
          304: notModified,
          ...problemResponses(refusals),
        },
      },
    },
    async (request, reply) => {
      const { query } = request
      if (query.after !== undefined && query.before !== undefined)
        throw new Problem(400, 'Please use either after or before.')
      const listed: ListRequest = {
        query,
        filter: readFilter(query, ownHostCheck(context, request)),
        origin: linkOrigin(context, request),
        hasStats: allows(actorOf(request), 'stats:read'),
      }
      const list = await sharedLists(JSON.stringify(listed), () => readList(listed, actorOf(request)))
      reply.headers({
        'cache-control': 'private, no-cache',
        ...list.headers,
        ...list.freshness,
        etag: list.etag,
      })
      if (isKnown(request.headers['if-none-match'], list.etag)) return reply.code(304).send()
      return reply.type('application/json; charset=utf-8').send(list.body)
    },
  )

  async function readList(listed: ListRequest, actor: Actor): Promise<ReadList> {
    const { query, filter, origin, hasStats } = listed
    // Before the visits: they must not be older than it says.
    const fresh = hasStats ? freshnessHeaders(await freshness.read()) : {}
    const [page, count] = await Promise.all([
      readPage(pool, {
        filter,
        order: query.sort,
        limit: query.limit,
        after: idOf(query.after),
        before: idOf(query.before),
      }),
      countLinks(filter),
    ])
    const rows = page.ids.length === 0 ? [] : await readRows(pool, page.ids)
    const links = rows.map(row => describeLink(row, origin, actor))
    return {
      body: JSON.stringify(hasStats ? await addVisits(links, rows, query) : links),
      headers: {
        ...pageLinks(query, page),
        'x-total-count': String(count.links),
        'x-total-relation': count.isExact ? 'eq' : 'gte',
      },
      freshness: fresh,
    }
  }

  async function addVisits(
    links: ListedLinkResource[],
    rows: LinkRow[],
    { sparkline }: ListQuery,
  ): Promise<ListedLinkResource[]> {
    const ids = rows.map(({ id }) => id)
    const [counts, lines] = await Promise.all([
      readCounts(database, ids),
      sparkline ? sparklines(database, ids, new Date()) : undefined,
    ])
    return links.map((link, i) => {
      const id = ids[i] ?? 0
      const { uniques, ...counted } = counts.get(id) ?? { visits: 0, bots: 0, previews: 0, uniques: 0 }
      const line = lines?.get(id)
      return { ...link, ...countsOf(counted), uniques, ...(line && { sparkline: line }) }
    })
  }
}

function idOf(position: string | undefined): number | undefined {
  return position === undefined ? undefined : Number(position)
}
