/**
 * Adds differences (day-differences.ts) to rows that recording may have changed since. A row whose visits become 0 is
 * deleted: it belongs to visits that never were. Each function returns the number of rows.
 */
import { allLinks } from '@hopcount/shared/all-links.ts'
import { bigintArray, timestampArray } from '@hopcount/shared/database/binary-arrays.ts'
import { dayText } from '@hopcount/shared/days.ts'
import type { Pool } from 'pg'
import type { DayDifference, MomentDifference, TimeDifference } from './day-differences.ts'

/** Bounds how long recording waits for rows that a statement has locked. */
const rowsPerStatement = 2_000

export function addDays(
  pool: Pool,
  differences: AsyncIterable<DayDifference[]>,
  day: number,
): Promise<number> {
  return inParts(differences, async rows => {
    const linkIds = bigintArray(rows.map(row => row.link_id))
    await pool.query({
      name: 'add-day-differences',
      text: `INSERT INTO link_days AS total (link_id, day, visits, bots, previews, uniques)
             SELECT link_id, $2::date, visits, bots, previews, uniques
             FROM unnest($1::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
               AS difference (link_id, visits, bots, previews, uniques)
             ORDER BY link_id
             ON CONFLICT (link_id, day) DO UPDATE SET
               visits = total.visits + excluded.visits,
               bots = total.bots + excluded.bots,
               previews = total.previews + excluded.previews,
               uniques = total.uniques + excluded.uniques`,
      values: [
        linkIds,
        dayText(day),
        bigintArray(rows.map(row => row.visits)),
        bigintArray(rows.map(row => row.bots)),
        bigintArray(rows.map(row => row.previews)),
        bigintArray(rows.map(row => row.uniques)),
      ],
    })
    if (!rows.some(row => row.visits < 0)) return
    await pool.query(
      'DELETE FROM link_days WHERE link_id = ANY ($1::bigint[]) AND day = $2::date AND visits = 0',
      [linkIds, dayText(day)],
    )
  })
}

export function addQuarters(pool: Pool, differences: AsyncIterable<TimeDifference[]>): Promise<number> {
  return addTimes(pool, differences, 'link_quarters', 'quarter')
}

export function addMinutes(pool: Pool, differences: AsyncIterable<TimeDifference[]>): Promise<number> {
  return addTimes(pool, differences, 'link_minutes', 'minute')
}

function addTimes(
  pool: Pool,
  differences: AsyncIterable<TimeDifference[]>,
  table: 'link_quarters' | 'link_minutes',
  time: 'quarter' | 'minute',
): Promise<number> {
  return inParts(differences, async rows => {
    const keys = [bigintArray(rows.map(row => row.link_id)), timestampArray(rows.map(row => row.start))]
    await pool.query({
      name: `add-${time}-differences`,
      text: `INSERT INTO ${table} AS total (link_id, ${time}, visits, bots, previews)
             SELECT link_id, start, visits, bots, previews
             FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[])
               AS difference (link_id, start, visits, bots, previews)
             ORDER BY link_id, start
             ON CONFLICT (link_id, ${time}) DO UPDATE SET
               visits = total.visits + excluded.visits,
               bots = total.bots + excluded.bots,
               previews = total.previews + excluded.previews`,
      values: [
        ...keys,
        bigintArray(rows.map(row => row.visits)),
        bigintArray(rows.map(row => row.bots)),
        bigintArray(rows.map(row => row.previews)),
      ],
    })
    if (!rows.some(row => row.visits < 0)) return
    await pool.query(
      `DELETE FROM ${table} AS total USING unnest($1::bigint[], $2::timestamptz[]) AS changed (link_id, start)
       WHERE total.link_id = changed.link_id AND total.${time} = changed.start AND total.visits = 0`,
      keys,
    )
  })
}

/**
 * Sets first and last visits, except of links that have been visited since the snapshot. A link without a row gets one
 * without visits, which recount-totals.ts adds.
 */
export function setFirstAndLast(pool: Pool, differences: AsyncIterable<MomentDifference[]>): Promise<number> {
  return inParts(differences, async rows => {
    const missing = rows.filter(row => row.stored_first === null)
    const wrong = rows.filter(row => row.stored_first !== null)
    if (missing.length > 0)
      await pool.query(
        `INSERT INTO link_totals AS total (link_id, visits, first_visit, last_visit)
         SELECT link_id, 0, first_visit, last_visit
         FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS moment (link_id, first_visit, last_visit)
         ORDER BY link_id
         ON CONFLICT (link_id) DO UPDATE SET
           first_visit = least(total.first_visit, excluded.first_visit),
           last_visit = greatest(total.last_visit, excluded.last_visit)`,
        moments(missing),
      )
    if (wrong.length > 0)
      await pool.query(
        `WITH wanted AS MATERIALIZED (
           SELECT link_id, moment.first_visit, moment.last_visit
           FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
             AS moment (link_id, first_visit, last_visit, stored_first, stored_last)
           JOIN link_totals AS total USING (link_id)
           WHERE total.first_visit = stored_first AND total.last_visit = stored_last
           ORDER BY link_id FOR NO KEY UPDATE OF total
         )
         UPDATE link_totals AS total SET first_visit = wanted.first_visit, last_visit = wanted.last_visit
         FROM wanted WHERE total.link_id = wanted.link_id`,
        [
          ...moments(wrong),
          timestampArray(wrong.map(row => row.stored_first ?? 0)),
          timestampArray(wrong.map(row => row.stored_last ?? 0)),
        ],
      )
  })
}

function moments(rows: MomentDifference[]): Buffer[] {
  return [
    bigintArray(rows.map(row => row.link_id)),
    timestampArray(rows.map(row => row.first_visit)),
    timestampArray(rows.map(row => row.last_visit)),
  ]
}

/** In parts of bounded size; those of all links, whose rows every recording transaction needs, apart. */
async function inParts<Row extends { link_id: number }>(
  differences: AsyncIterable<Row[]>,
  add: (rows: Row[]) => Promise<void>,
): Promise<number> {
  let added = 0
  for await (const rows of differences) {
    const ofLinks = rows.filter(row => row.link_id !== allLinks)
    for (let i = 0; i < ofLinks.length; i += rowsPerStatement)
      await add(ofLinks.slice(i, i + rowsPerStatement))
    const ofAll = rows.filter(row => row.link_id === allLinks)
    if (ofAll.length > 0) await add(ofAll)
    added += rows.length
  }
  return added
}
