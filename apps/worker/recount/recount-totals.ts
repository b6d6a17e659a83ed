import type { PoolClient } from 'pg'

/** Sets the totals of the links from `fromLink` to below `toLink` to the sums of their days. Returns the number of corrected rows, by table. */
export async function rebuildTotals(client: PoolClient, fromLink: number, toLink: number) {
  const loose = await client.query(
    `DELETE FROM link_breakdowns AS stored
     WHERE link_id >= $1 AND link_id < $2
       AND NOT EXISTS (SELECT FROM link_days WHERE link_days.link_id = stored.link_id AND link_days.day = stored.day)`,
    [fromLink, toLink],
  )
  await client.query(
    `DELETE FROM breakdown_tails AS tail
     WHERE link_id >= $1 AND link_id < $2
       AND NOT EXISTS (SELECT FROM link_days WHERE link_days.link_id = tail.link_id AND link_days.day = tail.day)`,
    [fromLink, toLink],
  )
  const removed = await client.query(
    `DELETE FROM link_totals AS total
     WHERE link_id >= $1 AND link_id < $2 AND NOT EXISTS (SELECT FROM link_days WHERE link_days.link_id = total.link_id)`,
    [fromLink, toLink],
  )
  // The days of a link without a row have lost their raw visits: its first and last visit are known to the quarter hour.
  const written = await client.query(
    `INSERT INTO link_totals AS total (link_id, visits, bots, previews, uniques, first_visit, last_visit)
     SELECT link_id, days.visits, days.bots, days.previews, days.uniques,
            coalesce(stored.first_visit, (SELECT min(quarter) FROM link_quarters WHERE link_quarters.link_id = days.link_id), first_day AT TIME ZONE 'UTC'),
            coalesce(stored.last_visit, (SELECT max(quarter) FROM link_quarters WHERE link_quarters.link_id = days.link_id), last_day AT TIME ZONE 'UTC')
     FROM (
       SELECT link_id, sum(visits)::bigint AS visits, sum(bots)::bigint AS bots, sum(previews)::bigint AS previews,
              sum(uniques)::bigint AS uniques, min(day)::timestamp AS first_day, max(day)::timestamp AS last_day
       FROM link_days WHERE link_id >= $1 AND link_id < $2 GROUP BY link_id
     ) AS days
     LEFT JOIN link_totals AS stored USING (link_id)
     WHERE (days.visits, days.bots, days.previews, days.uniques)
             IS DISTINCT FROM (stored.visits, stored.bots, stored.previews, stored.uniques)
     ORDER BY link_id
     ON CONFLICT (link_id) DO UPDATE SET
       visits = excluded.visits, bots = excluded.bots, previews = excluded.previews, uniques = excluded.uniques`,
    [fromLink, toLink],
  )
  return {
    link_breakdowns: loose.rowCount ?? 0,
    link_totals: (removed.rowCount ?? 0) + (written.rowCount ?? 0),
  }
}
