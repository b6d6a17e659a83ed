/**
 * Finds links by a part of their slug, target or title.
 *
 * Texts are looked at in blocks of 32 links (link_search_blocks), which takes 3 µs a block. A thousand blocks are read in
 * the order of the list, and soon fill a page with what is common. If they don't, the index of grams finds all other
 * blocks that may have the text. The newest links are in no block yet, and are looked at one by one; so are those that
 * were changed after their block was written (changed-links.ts).
 */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { gramsOfSearch, linksPerBlock, searchedText } from '@hopcount/shared/link-search.ts'
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import type { ChangedLinks } from './changed-links.ts'
import { addChanged, readChanged } from './changed-links.ts'
import type { FindQuery, Found, Order } from './list-conditions.ts'
import { asStored, inOrder, isAfter, matchOf, scopeOf } from './list-conditions.ts'
import { walkLinks } from './walk-links.ts'

const newestLinks = 5_000
const walkedBlocks = 1_000
/** Blocks with the text that are taken from the index; more where more links are wanted. */
const maxFound = 1_000
const maxAtOnce = 64
/** Blocks with the text of which each link is looked at; more where all of them have the text, and none the tag. */
const maxRead = 400

type SearchQuery = FindQuery & { search: string; changed: ChangedLinks }

export async function searchLinks(database: Database, query: FindQuery): Promise<Found> {
  const { search, sort, after, limit } = query
  if (search === undefined) throw new Error('there is nothing to search for')
  const { endBlock, changed } = await readChanged(database, query)
  const end = endBlock * linksPerBlock
  const isInNewest = after === undefined || after > end
  const isInBlocks = after === undefined || after < end - 1

  const searchNewest = (rest: FindQuery) => walkLinks(database, rest, newestLinks, end)
  const searchOthers = async (rest: FindQuery) =>
    addChanged(await searchBlocks(database, { ...rest, search, changed }, endBlock), changed, rest)
  const none: Found = { ids: [], next: undefined }
  if (sort === 'newest') {
    const newest = isInNewest ? await searchNewest(query) : none
    if (newest.next !== undefined) return newest
    const rest = { ...query, after: Math.min(after ?? end, end), limit: limit - newest.ids.length }
    return append(newest, await searchOthers(rest))
  }
  const others = isInBlocks ? await searchOthers(query) : none
  if (others.next !== undefined) return others
  const rest = { ...query, after: Math.max(after ?? 0, end - 1), limit: limit - others.ids.length }
  return append(others, await searchNewest(rest))
}

function append(first: Found, second: Found): Found {
  return { ids: [...first.ids, ...second.ids], next: second.next }
}

async function searchBlocks(database: Database, query: SearchQuery, endBlock: number): Promise<Found> {
  const { sort, after, limit } = query
  const step = sort === 'newest' ? -1 : 1
  const ids: number[] = []
  let blocksRead = 0
  let first = firstBlock(query, endBlock)
  const walkEnd = first + step * walkedBlocks

  /** Returns where the page ends, if it does. */
  async function read(blocks: number[]): Promise<number | undefined> {
    ids.push(...(await readBlocks(database, { ...query, after, limit: limit - ids.length }, blocks)))
    if (ids.length === limit) return ids.at(-1)
    blocksRead += blocks.length
    const last = blocks.at(-1)
    return blocksRead < Math.max(maxRead, limit) || last === undefined ? undefined : edgeOf(last, sort)
  }

  for (let atOnce = 2 + Math.ceil(limit / 8); ; atOnce = Math.min(2 * atOnce, maxAtOnce)) {
    const blocks = await nextBlocks(database, query, first, walkEnd, atOnce)
    const end = await read(blocks)
    if (end !== undefined) return { ids, next: end }
    const last = blocks.at(-1)
    if (last === undefined || blocks.length < atOnce) break
    first = last + step
  }
  if (isCommon(query, ids.length, sort === 'newest' ? walkEnd : endBlock - walkEnd))
    return { ids, next: edgeOf(walkEnd - step, sort) }
  const found = await findBlocks(database, query, walkEnd)
  for (let i = 0; i < found.length; i += maxAtOnce) {
    const end = await read(found.slice(i, i + maxAtOnce))
    if (end !== undefined) return { ids, next: end }
  }
  const last = found.length < Math.max(maxFound, limit) ? undefined : found.at(-1)
  return { ids, next: last === undefined ? undefined : edgeOf(last, sort) }
}

/** Whether there are enough, and the index would find more than are wanted. */
function isCommon({ limit, enough }: SearchQuery, found: number, remainingBlocks: number): boolean {
  return enough !== undefined && found >= enough && found * (1 + remainingBlocks / walkedBlocks) > limit
}

function firstBlock({ sort, after }: SearchQuery, endBlock: number): number {
  if (sort === 'oldest') return after === undefined ? 0 : blockOf(after + 1)
  return after === undefined ? endBlock - 1 : Math.min(endBlock - 1, blockOf(after - 1))
}

function blockOf(id: number): number {
  return Math.floor(id / linksPerBlock)
}

/** The id behind which everything that follows a block is. */
function edgeOf(block: number, sort: Order): number {
  return sort === 'newest' ? block * linksPerBlock : (block + 1) * linksPerBlock - 1
}

/** The next blocks with the text, from the first one to before the end. */
async function nextBlocks(
  database: Database,
  { search, sort }: SearchQuery,
  first: number,
  end: number,
  limit: number,
): Promise<number[]> {
  const range =
    sort === 'newest' ? sql`block <= ${first} AND block > ${end}` : sql`block >= ${first} AND block < ${end}`
  const { rows } = await sql<{ block: number }>`
    SELECT block FROM link_search_blocks WHERE ${range} AND ${hasText(sql`text`, search)}
    ORDER BY ${blockOrder(sort)} LIMIT ${limit}`.execute(database)
  return rows.map(({ block }) => block)
}

/** Those with the text from a block on, by the index. */
async function findBlocks(
  database: Database,
  { search, sort, limit }: SearchQuery,
  first: number,
): Promise<number[]> {
  const hasGrams = sql.join(
    textsOf(search).map(text => sql`grams @> ${gramsOfSearch(text)}::smallint[]`),
    sql` OR `,
  )
  // Apart, for otherwise the planner may read all blocks in their order.
  const { rows } = await sql<{ block: number }>`
    WITH found AS MATERIALIZED (
      SELECT block FROM link_search_blocks WHERE (${hasGrams}) AND ${hasText(sql`text`, search)}
    )
    SELECT block FROM found WHERE ${sort === 'newest' ? sql`block <= ${first}` : sql`block >= ${first}`}
    ORDER BY ${blockOrder(sort)} LIMIT ${Math.max(maxFound, limit)}`.execute(database)
  return rows.map(({ block }) => block)
}

async function readBlocks(database: Database, query: SearchQuery, blocks: number[]): Promise<number[]> {
  if (blocks.length === 0) return []
  const { search, sort, after, limit, changed } = query
  const lines = await sql<{ id: number }>`
    SELECT links.id
    FROM link_search_blocks, unnest(ids, string_to_array(text, E'\n')) AS links (id, line)
    WHERE block = ANY(${blocks}::bigint[]) AND ${hasText(sql`line`, search)} AND ${isAfter(sort, after)}`.execute(
    database,
  )
  // Not joined: the planner takes them for many more, and would read all links.
  const ids = lines.rows.map(({ id }) => id).filter(id => !changed.all.has(id))
  const { rows } = await sql<{ id: number }>`
    SELECT id FROM links
    WHERE id = ANY(${ids}::bigint[]) AND ${scopeOf(query)} AND ${matchOf({ ...query, search: undefined })}
    ORDER BY ${inOrder(sort)} LIMIT ${limit}`.execute(database)
  return rows.map(({ id }) => id)
}

function hasText(column: RawBuilder<unknown>, search: string): RawBuilder<unknown> {
  const parts = textsOf(search).map(text => sql`position(${text}::text IN ${column}) > 0`)
  return sql`(${sql.join(parts, sql` OR `)})`
}

/** As it was typed, and as it is in a target that is percent-encoded. */
function textsOf(search: string): string[] {
  return [...new Set([searchedText(search), searchedText(asStored(search))])]
}

function blockOrder(sort: Order): RawBuilder<unknown> {
  return sort === 'newest' ? sql`block DESC` : sql`block`
}
