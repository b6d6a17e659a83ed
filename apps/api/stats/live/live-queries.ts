import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { sql } from 'kysely'
import type { StoredCounts } from '../counts.ts'

/** `visits` and `lastVisit` are of all time. */
export interface StoredLiveCounts extends StoredCounts {
  /** Visits by humans since the start of the minute five minutes ago. */
  lastFiveMinutes: number
  lastVisit: Date | null
}

const minuteMs = 60_000

/**
 * The counts of all these links at `now`, in one query; a link without visits has zeros. Two index lookups per link:
 * `now` is passed as a value, so that only the partitions of these minutes are read, and not those created ahead.
 * Visits from hosts whose clocks are less than a minute fast are included.
 */
export async function liveCounts(
  database: Database,
  linkIds: number[],
  now: number,
): Promise<Map<number, StoredLiveCounts>> {
  const from = new Date(Math.floor(now / minuteMs) * minuteMs - 5 * minuteMs)
  const until = new Date(now + 2 * minuteMs)
  const { rows } = await sql<StoredLiveCounts & { linkId: number }>`
    SELECT listened.link_id AS "linkId",
           coalesce(total.visits, 0) AS visits,
           coalesce(total.bots, 0) AS bots,
           coalesce(total.previews, 0) AS previews,
           coalesce((
             SELECT sum(visits - bots - previews) FROM link_minutes AS minutes
             WHERE minutes.link_id = listened.link_id AND minute >= ${from}::timestamptz AND minute < ${until}::timestamptz
           ), 0)::bigint AS "lastFiveMinutes",
           total.last_visit AS "lastVisit"
    FROM unnest(${linkIds}::bigint[]) AS listened (link_id)
    LEFT JOIN link_totals AS total ON total.link_id = listened.link_id`.execute(database)
  return new Map(rows.map(({ linkId, ...counts }) => [linkId, counts]))
}
