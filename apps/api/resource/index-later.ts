import type { PoolClient } from 'pg'

/**
 * Tells workers that links differ from what a search looks at (link_search_blocks). Call it in the transaction that
 * changes them. Until a worker has written their blocks again, a search looks at these links one by one.
 *
 * A row that is there already is locked, although it stays as it is: DO NOTHING would leave it to a worker that reads the
 * link before this transaction commits, and then deletes the row. If a worker has taken the row, this waits until it is
 * deleted, and inserts it again. Rows are locked by id, so two changes of many links don't deadlock.
 *
 * Links that are in no block yet have a row, too: whether their block is being written right now can't be known here.
 */
export async function indexLater(client: PoolClient, linkIds: number[]): Promise<void> {
  if (linkIds.length === 0) return
  await client.query({
    name: 'index-later',
    text: `INSERT INTO link_search_changed (link_id) SELECT unnest($1::bigint[])
           ON CONFLICT (link_id) DO UPDATE SET link_id = excluded.link_id WHERE false`,
    values: [linkIds.toSorted((a, b) => a - b)],
  })
}
