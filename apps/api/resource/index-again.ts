/** Keeps what a search looks at (link_search_blocks) in step with changes of links. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SearchedLink } from '@hopcount/shared/link-search.ts'
import { linksPerBlock, searchBlock } from '@hopcount/shared/link-search.ts'
import type { PoolClient } from 'pg'

const blocksAtOnce = 16

/**
 * Writes the blocks of changed links again. Call it in the transaction that changed them, after the changes.
 *
 * The lock on the progress keeps a worker from writing blocks that it has read before these changes; blocks that it has
 * not written yet it will read after them. Blocks are locked in their order, after the links and before they are read, so
 * of two changes in one block the second sees the first.
 */
export async function indexAgain(client: PoolClient, linkIds: number[]): Promise<void> {
  if (linkIds.length === 0) return
  await client.query({ name: 'share-search-progress', text: 'SELECT FROM link_search_state FOR SHARE' })
  // A statement of its own: it sees the blocks of a worker that it has waited for.
  const { rows } = await client.query<{ block: number }>({
    name: 'lock-search-blocks',
    text: 'SELECT block FROM link_search_blocks WHERE block = ANY($1::bigint[]) ORDER BY block FOR UPDATE',
    values: [[...new Set(linkIds.map(id => Math.floor(id / linksPerBlock)))]],
  })
  for (let i = 0; i < rows.length; i += blocksAtOnce)
    await writeAgain(
      client,
      rows.slice(i, i + blocksAtOnce).map(({ block }) => block),
    )
}

async function writeAgain(client: PoolClient, blocks: number[]): Promise<void> {
  const { rows } = await client.query<SearchedLink & { id: number }>({
    name: 'links-of-blocks',
    text: `SELECT id, slug, long_url AS "longUrl", title
           FROM unnest($1::bigint[]) AS block JOIN links ON id >= block * $2 AND id < (block + 1) * $2
           ORDER BY id`,
    values: [blocks, linksPerBlock],
  })
  const written = []
  for (const [block, links] of Map.groupBy(rows, ({ id }) => Math.floor(id / linksPerBlock))) {
    written.push(searchBlock(block, links))
    // Redirects come first.
    await nextTurn()
  }
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
}
