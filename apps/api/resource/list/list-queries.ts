/**
 * Finds the links of a list. What is common is soon found by looking at one link after the other, in the order of the
 * list; what is rare by an index: of states, of tags, or of texts (search-links.ts). So a few thousand links are looked
 * at first. If they don't fill a page, an index is asked for all other matches, up to a bound. Where there are more, or
 * no index helps, the walk goes on, up to a bound, too; the page may then be short, or empty, and the next one begins
 * where this one's walk has ended.
 */
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { databaseOn } from '@hopcount/shared/database/query-builder.ts'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { FindQuery, Found } from './list-conditions.ts'
import { inOrder, isAfter, isScoped, matchOf, scopeOf, tagMatch } from './list-conditions.ts'
import { searchLinks } from './search-links.ts'
import { walkLinks } from './walk-links.ts'

const firstWalk = 5_000
/** Texts that are not in an index take longer. */
const firstSearchWalk = 2_000
const longWalk = 20_000
/** One link in 200, at most. */
const rareTag = 10
/** Of an index, before other conditions are looked at. */
const maxTagged = 5_000

export async function findLinks(pool: Pool, query: FindQuery): Promise<Found> {
  const database = databaseOn(pool)
  const { search } = query
  if (search !== undefined && !isScoped(query)) return findByText(pool, database, query)
  const first = await walkLinks(database, query, search === undefined ? firstWalk : firstSearchWalk)
  if (isEnough(first, query)) return first
  const rest = { ...query, after: first.next, limit: query.limit - first.ids.length }
  const found =
    search === undefined
      ? ((await findTagged(pool, database, rest)) ?? (await walkLinks(database, rest, longWalk)))
      : await findByText(pool, database, rest)
  return { ids: [...first.ids, ...found.ids], next: found.next }
}

/**
 * The rarer of text and tags decides: tags that few of the newest links have are looked up first, and otherwise where
 * there are too many links with the text.
 */
async function findByText(pool: Pool, database: Database, query: FindQuery): Promise<Found> {
  const isRare = await isRareTag(database, query)
  const tagged = isRare ? await findTagged(pool, database, query) : undefined
  if (tagged !== undefined) return tagged
  const found = await searchLinks(database, query)
  if (isEnough(found, query) || isRare) return found
  return (await findTagged(pool, database, query)) ?? found
}

async function isRareTag(database: Database, query: FindQuery): Promise<boolean> {
  if (query.tagKeys.length === 0) return false
  const all = { ...query, search: undefined, after: undefined, limit: rareTag }
  const { ids, next } = await walkLinks(database, all, firstSearchWalk)
  return next !== undefined && ids.length < rareTag
}

function isEnough({ ids, next }: Found, { limit }: FindQuery): boolean {
  return next === undefined || ids.length === limit
}

/** Undefined if no tag is given, or too many links have it. */
async function findTagged(pool: Pool, database: Database, query: FindQuery): Promise<Found | undefined> {
  const { tagKeys, sort, after, limit } = query
  if (tagKeys.length === 0) return undefined
  // OFFSET 0 keeps the planner from walking the ids in order.
  const tagged = sql<{ id: number }>`
    SELECT id FROM (SELECT id FROM links WHERE ${tagMatch(tagKeys)} OFFSET 0) AS links
    WHERE ${isAfter(sort, after)} LIMIT ${maxTagged + 1}`.compile(database)
  const ids = await inTransaction(
    pool,
    async client => {
      const { rows } = await client.query<{ id: number }>(tagged.sql, [...tagged.parameters])
      return rows.map(({ id }) => id)
    },
    // The planner may expect to find more than there is, and soon, by reading the whole table.
    { first: 'SET LOCAL enable_seqscan = off;' },
  )
  if (ids.length > maxTagged) return undefined
  if (ids.length === 0) return { ids, next: undefined }
  const { rows } = await sql<{ id: number }>`
    SELECT id FROM links WHERE id = ANY(${ids}::bigint[]) AND ${scopeOf(query)} AND ${matchOf(query)}
    ORDER BY ${inOrder(sort)} LIMIT ${limit + 1}`.execute(database)
  const page = rows.slice(0, limit).map(({ id }) => id)
  return { ids: page, next: rows.length > limit ? page.at(-1) : undefined }
}
