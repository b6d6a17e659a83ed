/**
 * Writes what a search looks at (link_search_blocks), some blocks after the others. The links of an upgraded database
 * come first; until they are all in there, searches for rare texts take several pages.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { SearchedLink } from '@hopcount/shared/link-search.ts'
import { linksPerBlock, searchBlock } from '@hopcount/shared/link-search.ts'
import type { Pool, PoolClient } from 'pg'

const batchLinks = 16 * linksPerBlock

/**
 * Ids become visible in another order than they were given. But no link is committed more than some 20 s after it got
 * its id, because PostgreSQL ends statements and idle transactions before that. So behind a link that is older than this,
 * none can appear any more.
 */
const settledAfterSeconds = 60

export async function indexLinks(pool: Pool, stop?: AbortSignal): Promise<void> {
  while (stop?.aborted !== true) {
    const startedAt = performance.now()
    if ((await inTransaction(pool, indexBatch)) === 0) return
    // A backlog of a million links takes minutes in any case, and must not take a processor from redirects.
    await sleep(performance.now() - startedAt)
  }
}

interface Row extends SearchedLink {
  id: number
  isUnsettled: boolean
}

/** Workers take turns: they lock the row that says how far it is. Returns how many blocks were written. */
async function indexBatch(client: PoolClient): Promise<number> {
  const progress = await client.query<{ block: number }>({
    name: 'lock-search-progress',
    text: 'SELECT block FROM link_search_state FOR UPDATE',
  })
  const first = progress.rows[0]?.block ?? 0
  // Sees every change that was committed before the lock was given, and changes that come later wait for it.
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
