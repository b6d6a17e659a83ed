/**
 * Writes what a search looks at (link_search_blocks), a few blocks at a time: those of new links, and again those of
 * changed ones. The links of an upgraded database come first; until they are all in there, searches for rare texts take
 * several pages.
 *
 * A block that is written again costs PostgreSQL 3 to 16 ms, since all of its grams become new entries of the index. A
 * request that changes 1,000 links does not pay for that: it only says which links these are (link_search_changed), and
 * until a worker gets to them, a search looks at them one by one.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { SearchedLink } from '@hopcount/shared/link-search.ts'
import { linksPerBlock, searchBlock } from '@hopcount/shared/link-search.ts'
import type { Pool, PoolClient } from 'pg'

const batchBlocks = 16
const batchLinks = batchBlocks * linksPerBlock

/**
 * Ids become visible in another order than they were given. But no link is committed more than some 20 s after it got
 * its id, because PostgreSQL ends statements and idle transactions before that. So behind a link that is older than this,
 * none can appear any more.
 */
const settledAfterSeconds = 60

export function indexLinks(pool: Pool, stop?: AbortSignal): Promise<void> {
  return runBatches(pool, indexBatch, stop)
}

export async function indexChangedLinks(pool: Pool, stop?: AbortSignal): Promise<void> {
  const { rowCount } = await pool.query({
    name: 'is-a-link-changed',
    text: 'SELECT FROM link_search_changed LIMIT 1',
  })
  if (rowCount !== 0) await runBatches(pool, indexChanged, stop)
}

/** @param work returns 0 if there is nothing left to do */
async function runBatches(
  pool: Pool,
  work: (client: PoolClient) => Promise<number>,
  stop: AbortSignal | undefined,
): Promise<void> {
  while (stop?.aborted !== true) {
    const startedAt = performance.now()
    if ((await inTransaction(pool, work)) === 0) return
    // A backlog of a million links takes minutes in any case, and must not take a processor from redirects.
    await sleep(performance.now() - startedAt)
  }
}

interface Row extends SearchedLink {
  id: number
  isUnsettled: boolean
}

/** Workers take turns: they lock the row that says how far they are. All blocks before the returned one are written. */
async function lockProgress(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ block: number }>({
    name: 'lock-search-progress',
    text: 'SELECT block FROM link_search_state FOR UPDATE',
  })
  return rows[0]?.block ?? 0
}

/** Returns how many blocks were written. */
async function indexBatch(client: PoolClient): Promise<number> {
  const first = await lockProgress(client)
  // A link that changes after this has a row in link_search_changed, so its block will be written again.
  const { rows } = await client.query<Row>({
    name: 'links-to-index',
    text: `SELECT id, slug, long_url AS "longUrl", title, created_at > now() - $3 * interval '1 second' AS "isUnsettled"
           FROM links WHERE id >= $1 ORDER BY id LIMIT $2`,
    values: [first * linksPerBlock, batchLinks, settledAfterSeconds],
  })
  const unsettled = rows.findIndex(({ isUnsettled }) => isUnsettled)
  const settled = unsettled === -1 ? rows : rows.slice(0, unsettled)
  const end = Math.floor(((settled.at(-1)?.id ?? -1) + 1) / linksPerBlock)
  if (end <= first) return 0
  const complete = settled.filter(({ id }) => id < end * linksPerBlock)
  const blocks = Map.groupBy(complete, ({ id }) => Math.floor(id / linksPerBlock))
  const written = [...blocks].map(([block, links]) => searchBlock(block, links))
  await client.query({
    name: 'index-links',
    text: `WITH indexed AS (
             INSERT INTO link_search_blocks (block, ids, text, grams)
             SELECT block, ids::bigint[], text, grams::smallint[]
             FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS written (block, ids, text, grams)
           )
           UPDATE link_search_state SET block = $5, links = links + $6`,
    values: [
      written.map(({ block }) => block),
      written.map(({ ids }) => `{${ids}}`),
      written.map(({ text }) => text),
      written.map(({ grams }) => `{${grams}}`),
      end,
      complete.length,
    ],
  })
  return written.length
}

/**
 * Returns how many changed links were indexed again.
 *
 * No change is missed. Rows are deleted before links are read, and only rows that no transaction holds: whoever changes a
 * link inserts its row or locks it (index-later.ts). A change that was committed before the deletion is read. One that
 * was not has locked the row, which stays, or waits for this transaction to end and then inserts the row again.
 *
 * A link that is in no block yet loses its row all the same: its block is written after this transaction, from what the
 * link is then.
 */
async function indexChanged(client: PoolClient): Promise<number> {
  const end = await lockProgress(client)
  const deleted = await client.query<{ id: number }>({
    name: 'take-changed-links',
    text: `WITH first AS MATERIALIZED (
             SELECT link_id FROM link_search_changed ORDER BY link_id LIMIT $1 FOR UPDATE SKIP LOCKED
           ), of_blocks AS MATERIALIZED (
             SELECT link_search_changed.link_id
             FROM (SELECT DISTINCT link_id / $2 AS block FROM first) AS blocks
                  JOIN link_search_changed ON link_id >= block * $2 AND link_id < (block + 1) * $2
             FOR UPDATE OF link_search_changed SKIP LOCKED
           )
           DELETE FROM link_search_changed WHERE link_id IN (SELECT link_id FROM of_blocks)
           RETURNING link_id AS id`,
    values: [batchBlocks, linksPerBlock],
  })
  const blocks = [...new Set(deleted.rows.map(({ id }) => Math.floor(id / linksPerBlock)))]
  const { rows } = await client.query<SearchedLink & { id: number }>({
    name: 'links-of-blocks',
    text: `SELECT id, slug, long_url AS "longUrl", title
           FROM unnest($1::bigint[]) AS block JOIN links ON id >= block * $2 AND id < (block + 1) * $2
           ORDER BY id`,
    values: [blocks.filter(block => block < end), linksPerBlock],
  })
  const written = [...Map.groupBy(rows, ({ id }) => Math.floor(id / linksPerBlock))].map(([block, links]) =>
    searchBlock(block, links),
  )
  await client.query({
    name: 'write-search-blocks',
    text: `UPDATE link_search_blocks SET text = written.text, grams = written.grams::smallint[]
           FROM unnest($1::bigint[], $2::text[], $3::text[]) AS written (block, text, grams)
           WHERE link_search_blocks.block = written.block`,
    values: [
      written.map(({ block }) => block),
      written.map(({ text }) => text),
      written.map(({ grams }) => `{${grams}}`),
    ],
  })
  return deleted.rows.length
}
