/** The sums of a seed: those of each link are inserted, those of all links together are added to what workers write. */
import { allLinks } from '@hopcount/shared/all-links.ts'
import type { PoolClient } from 'pg'
import { rulesVersion } from '../recording/classified-days.ts'

export async function insertSeedTotals(client: PoolClient): Promise<void> {
  await client.query(
    `INSERT INTO link_totals (link_id, visits, bots, previews, uniques, first_visit, last_visit)
     SELECT link_id, sum(visits), sum(bots), sum(previews), sum(uniques), min(first_visit), max(last_visit)
     FROM seed_days WHERE link_id <> ${allLinks} GROUP BY 1 ORDER BY 1`,
  )
}

/** Adds the sums to those of all links, in the same order as a worker (add-to-aggregates.ts). */
export async function addToAllLinks(client: PoolClient): Promise<void> {
  await client.query(
    `INSERT INTO link_totals AS total (link_id, visits, bots, previews, uniques, first_visit, last_visit)
     SELECT link_id, sum(visits), sum(bots), sum(previews), sum(uniques), min(first_visit), max(last_visit)
     FROM seed_days WHERE link_id = ${allLinks} GROUP BY 1
     ON CONFLICT (link_id) DO UPDATE SET
       visits = total.visits + excluded.visits, bots = total.bots + excluded.bots,
       previews = total.previews + excluded.previews, uniques = total.uniques + excluded.uniques,
       first_visit = least(total.first_visit, excluded.first_visit),
       last_visit = greatest(total.last_visit, excluded.last_visit)`,
  )
  await client.query(
    `INSERT INTO link_days AS total (link_id, day, visits, bots, previews, uniques)
     SELECT link_id, day, visits, bots, previews, uniques FROM seed_days WHERE link_id = ${allLinks} ORDER BY day
     ON CONFLICT (link_id, day) DO UPDATE SET
       visits = total.visits + excluded.visits, bots = total.bots + excluded.bots,
       previews = total.previews + excluded.previews, uniques = total.uniques + excluded.uniques`,
  )
  await client.query(
    `INSERT INTO breakdown_deltas (link_id, day, breakdowns)
     SELECT link_id, day, breakdowns FROM seed_days WHERE link_id = ${allLinks}`,
  )
  await client.query(
    `INSERT INTO link_quarters AS total (link_id, quarter, visits, bots, previews)
     SELECT link_id, quarter, visits, bots, previews FROM all_links_quarters ORDER BY quarter
     ON CONFLICT (link_id, quarter) DO UPDATE SET
       visits = total.visits + excluded.visits, bots = total.bots + excluded.bots, previews = total.previews + excluded.previews`,
  )
  await client.query(
    `INSERT INTO link_minutes AS total (link_id, minute, visits, bots, previews)
     SELECT link_id, minute, visits, bots, previews FROM all_links_minutes ORDER BY minute
     ON CONFLICT (link_id, minute) DO UPDATE SET
       visits = total.visits + excluded.visits, bots = total.bots + excluded.bots, previews = total.previews + excluded.previews`,
  )
  await client.query(
    `INSERT INTO classified_days AS total (day, rules, visits)
     SELECT day, $1::integer, visits FROM seed_days WHERE link_id = ${allLinks} ORDER BY day
     ON CONFLICT (day, rules) DO UPDATE SET visits = total.visits + excluded.visits`,
    [rulesVersion],
  )
}
