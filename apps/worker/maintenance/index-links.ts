/**
 * Writes what a search for substrings looks at (link_search), a batch of links after the other. The links of an upgraded
 * database come first; until they are all in there, searches for rare texts take several pages.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { linkSearchText } from '@hopcount/shared/link-search.ts'
import type { Pool } from 'pg'

const batchLinks = 500

/**
 * Ids become visible in another order than they were given. But no link is committed more than some 20 s after it got
 * its id, because PostgreSQL ends statements and idle transactions before that. So behind a link that is older than this,
 * none can appear any more.
 */
const settledAfterSeconds = 60

export async function indexLinks(pool: Pool, stop?: AbortSignal): Promise<void> {
  while (stop?.aborted !== true) {
    const startedAt = performance.now()
    if ((await indexBatch(pool)) < batchLinks) return
    // A backlog of a million links takes minutes in any case, and must not take a processor from redirects.
    await sleep(performance.now() - startedAt)
  }
}

/** Workers take turns: they lock the row that says how far it is. Returns how many links there were. */
async function indexBatch(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ indexed: number }>({
    name: 'index-links',
    text: `WITH progress AS MATERIALIZED (
             SELECT link_id FROM link_search_progress FOR UPDATE
           ), next AS MATERIALIZED (
             SELECT links.*, bool_or(created_at > now() - $2 * interval '1 second') OVER (ORDER BY id) AS is_unsettled
             FROM (SELECT * FROM links WHERE id > (SELECT link_id FROM progress) ORDER BY id LIMIT $1) AS links
           ), indexed AS (
             INSERT INTO link_search (link_id, text)
             SELECT id, ${linkSearchText('next')} FROM next WHERE NOT is_unsettled
             -- A link that was changed meanwhile is in there already, as it is now.
             ON CONFLICT DO NOTHING
           ), moved AS (
             UPDATE link_search_progress SET link_id = (SELECT max(id) FROM next WHERE NOT is_unsettled)
             WHERE EXISTS (SELECT FROM next WHERE NOT is_unsettled)
           )
           SELECT count(*) AS indexed FROM next WHERE NOT is_unsettled`,
    values: [batchLinks, settledAfterSeconds],
  })
  return rows[0]?.indexed ?? 0
}
