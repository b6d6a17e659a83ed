/** `GET /api/links`: all links, newest first, searched by text, tag and state. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { databaseOn } from '@hopcount/shared/database/query-builder.ts'
import type { Actor } from '../../access/actor.ts'
import { actorOf } from '../../access/actor.ts'
import { problemResponses } from '../../errors/problem.ts'
import { perMinute } from '../../limits/rate-limits.ts'
import { isWholeDays } from '../../stats/breakdowns/breakdown-range.ts'
import { countsOf } from '../../stats/counts.ts'
import { freshnessHeaderSchemas, freshnessHeaders, notModified } from '../../stats/shared-responses.ts'
import { sparklines } from '../../stats/top-links/top-links-queries.ts'
import { readTopWindow } from '../../stats/top-links/top-window.ts'
import { isKnown } from '../etags.ts'
import type { LinkContext } from '../link-context.ts'
import type { LinkRow } from '../link-rows.ts'
import { describeLink, readRows } from '../link-rows.ts'
import { refusals } from '../route-schemas.ts'
import type { Sample } from './count-links.ts'
import { countSample, createLinkCounter, isEvery, maxCounted, sampleLinks } from './count-links.ts'
import type { ListedCounts } from './list-counts.ts'
import { readCounts } from './list-counts.ts'
import { pageLinks } from './list-links.ts'
import type { Ranking } from './list-orders.ts'
import { maxRanked, orderByCreation, orderByVisits } from './list-orders.ts'
import { readPage } from './list-page.ts'
import type { ListRequest } from './list-request.ts'
import { readRequest } from './list-request.ts'
import type { ListedLinkResource, ListQuery } from './list-schema.ts'
import { ListQuerySchema, ListSchema, listHeaderSchemas } from './list-schema.ts'
import type { ReadList } from './shared-lists.ts'
import { createSharedLists } from './shared-lists.ts'

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
            description: 'in the order of `sort`',
            headers: { ...listHeaderSchemas, ...freshnessHeaderSchemas },
          },
          304: notModified,
          ...problemResponses(refusals),
        },
      },
    },
    async (request, reply) => {
      const listed = readRequest(context, request)
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
    const { query, filter, sort, origin, hasStats } = listed
    // Before the visits: they must not be older than it says.
    const fresh = hasStats ? freshnessHeaders(await freshness.read()) : {}
    const ranking = rankingOf(listed)
    const sample = await readSample(listed)
    const order =
      'creation' in sort
        ? orderByCreation(pool, filter, sort.creation, sample)
        : await orderByVisits(pool, database, filter, ranking, sample)
    const page = await readPage(order, { limit: query.limit, after: listed.after, before: listed.before })
    const isWhole = page.prev === undefined && page.next === undefined
    const count = isWhole
      ? { links: page.ids.length, isExact: true }
      : sample === undefined
        ? await countLinks(filter)
        : countSample(sample)
    const rows = page.ids.length === 0 ? [] : await readRows(pool, page.ids)
    const links = rows.map(row => describeLink(row, origin, actor))
    return {
      body: JSON.stringify(hasStats ? await addVisits(links, rows, query, ranking) : links),
      headers: {
        ...pageLinks(query, page),
        'x-total-count': String(count.links),
        'x-total-relation': count.isExact ? 'eq' : 'gte',
      },
      freshness: fresh,
    }
  }

  /** Of a search, the first page, its count and a ranking are found together. */
  async function readSample({
    query,
    filter,
    sort,
    after,
    before,
  }: ListRequest): Promise<Sample | undefined> {
    const byVisits = 'visits' in sort
    if (isEvery(filter)) {
      const isFew = byVisits && (await countLinks(filter)).links <= maxRanked
      return isFew ? sampleLinks(pool, filter, maxRanked, 1) : undefined
    }
    if (byVisits) return sampleLinks(pool, filter, maxRanked, 1)
    const isFirst = sort.creation === 'newest' && after === undefined && before === undefined
    return isFirst ? sampleLinks(pool, filter, maxCounted, query.limit + 1) : undefined
  }

  async function addVisits(
    links: ListedLinkResource[],
    rows: LinkRow[],
    { sort, sparkline }: ListQuery,
    ranking: Ranking,
  ): Promise<ListedLinkResource[]> {
    const ids = rows.map(({ id }) => id)
    const [counts, lines] = await Promise.all([
      readCounts(database, ids, ranking),
      sparkline ? sparklines(database, ids, new Date()) : undefined,
    ])
    return links.map((link, i) => {
      const id = ids[i] ?? 0
      const counted = counts.get(id) ?? noCounts
      const line = lines?.get(id)
      return {
        ...link,
        ...countsOf(counted),
        ...((ranking.window === undefined || isWholeDays(ranking.window)) && { uniques: counted.uniques }),
        ...(sort === 'growth' && { growth: counted.visits - counted.before }),
        ...(line && { sparkline: line }),
      }
    })
  }
}

const noCounts: ListedCounts = { visits: 0, bots: 0, previews: 0, uniques: 0, before: 0 }

/** What is counted, which is also what links are sorted by. */
function rankingOf({ query, sort }: ListRequest): Ranking {
  const by = 'visits' in sort ? sort.visits : 'visits'
  return { sort: by, window: readTopWindow({ ...query, tz: 'UTC', sort: by }, new Date()) }
}
