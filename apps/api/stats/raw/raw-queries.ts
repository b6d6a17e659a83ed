/** Queries of a filtered report over raw visits. Their time grows with the number of visits in the range. */

import type { VisitorClass } from '@hopcount/shared/agents/describe-user-agent.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { dayMs, dayNumber, dayText, parseDay } from '@hopcount/shared/days.ts'
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import type { Buckets } from '../series/series-range.ts'
import { readInChunks } from '../streaming-database.ts'
import { rawVisitsOf } from '../subject.ts'

/** The raw visits to read. Letter codes; null: unknown; undefined: any. */
export interface RawRange {
  linkId: number
  buckets: Buckets
  country: number | null | undefined
  language: number | null | undefined
}

const chunkRows = 2_000

/** The first day of raw visits, if some of the visits counted in the range are no longer kept. */
export async function rawVisitsMissing(
  database: Database,
  linkId: number,
  { starts, end }: Buckets,
): Promise<Date | undefined> {
  const firstDay = dayText(dayNumber((starts[0] ?? end).getTime()))
  const { rows } = await sql<{ earliest: string }>`
    SELECT raw_visits_from AS earliest FROM retention
    WHERE raw_visits_from > ${firstDay}::date AND EXISTS (
      SELECT FROM link_days
      WHERE link_id = ${linkId} AND day >= ${firstDay}::date AND day <= ${dayText(dayNumber(end.getTime() - 1))}::date AND day < raw_visits_from
    )`.execute(database)
  const earliest = rows[0]?.earliest
  return earliest === undefined ? undefined : new Date(parseDay(earliest) * dayMs)
}

export interface NumberedText {
  id: number
  text: string
}

/** The numbered texts that visits in the range refer to. */
export function textsInRange(
  database: Database,
  range: RawRange,
  column: 'user_agent_id' | 'referrer_id',
): AsyncIterable<NumberedText[]> {
  const query = sql<NumberedText>`
    SELECT texts.id, texts.text
    FROM (SELECT DISTINCT ${sql.ref(column)} AS id FROM visits WHERE ${inRange(range)}) AS used
    JOIN texts ON texts.id = used.id`
  return readInChunks(database, query, chunkRows)
}

/** What is known about numbered texts before visits are counted: which ones match, and their class. */
export interface KnownTexts {
  userAgents: { ids: number[]; classes: VisitorClass[] }
  /** Undefined: any matches. `orNone`: visits without a referrer match, too. */
  referrers: { ids: number[]; orNone: boolean } | undefined
}

/** Visits with the same values in every field that is not null. Texts seen once have no number and are given in full. */
export interface Group {
  /** The grouping that it belongs to. */
  by: 'bucket' | 'country' | 'language' | 'referrer' | 'agent'
  bucket: number | null
  country: number | null
  language: number | null
  referrer: string | null
  /** Null: the user agent has no number and is given in `userAgent`. */
  class: VisitorClass | null
  userAgent: string | null
  visits: number
}

/** Five small sets of groups instead of the product of all dimensions. */
export function groupsOf(
  database: Database,
  range: RawRange,
  { userAgents, referrers }: KnownTexts,
  limit: number,
): AsyncIterable<Group[]> {
  // Matching referrers with a number form one group; those without a number stay separate, for the process to match.
  const rest = sql`class, unnumbered_agent, ${referrers === undefined ? sql`NULL::text` : sql`unnumbered_referrer`}`
  const query = sql<Group>`
    SELECT CASE counted.mask WHEN 7 THEN 'bucket' WHEN 11 THEN 'country' WHEN 13 THEN 'language' WHEN 14 THEN 'agent' ELSE 'referrer' END AS by,
           counted.bucket, counted.country, counted.language,
           coalesce(counted.unnumbered_referrer, referrer.text) AS referrer, counted.class,
           coalesce(counted.unnumbered_agent, user_agent.text) AS "userAgent", counted.visits
    FROM (
      SELECT GROUPING(bucket, country, language, user_agent_id) AS mask, bucket, country, language,
             referrer_id, unnumbered_referrer, class, user_agent_id, unnumbered_agent, count(*) AS visits
      FROM (${matchingVisits(range, { userAgents, referrers })}) AS visit
      GROUP BY GROUPING SETS (
        (bucket, ${rest}), (country, ${rest}), (language, ${rest}), (user_agent_id, ${rest}),
        (referrer_id, unnumbered_referrer, class, unnumbered_agent)
      )
      LIMIT ${limit}
    ) AS counted
    LEFT JOIN texts AS referrer ON referrer.id = counted.referrer_id
    LEFT JOIN texts AS user_agent ON user_agent.id = counted.user_agent_id`
  return readInChunks(database, query, chunkRows)
}

/** Texts without a number remain for the process to match. */
function matchingVisits(range: RawRange, { userAgents, referrers }: KnownTexts): RawBuilder<unknown> {
  const starts = range.buckets.starts.map(Number)
  return sql`
    SELECT width_bucket(visited_at, (SELECT array_agg(to_timestamp(ms / 1000.0) ORDER BY ms) FROM unnest(${starts}::bigint[]) AS ms)) AS bucket,
           link_id, country, language, referrer_id, referrer AS unnumbered_referrer, agent.class, user_agent_id, user_agent AS unnumbered_agent
    FROM visits LEFT JOIN unnest(${userAgents.ids}::integer[], ${userAgents.classes}::text[]) AS agent (id, class) ON agent.id = user_agent_id
    WHERE ${inRange(range)} AND (user_agent_id IS NULL OR agent.id IS NOT NULL)
      AND ${referrers === undefined ? sql`true` : sql`(referrer_id = ANY(${referrers.ids}::integer[]) OR referrer IS NOT NULL OR (${referrers.orNone} AND referrer_id IS NULL))`}`
}

/** Visits of one link. Texts are given only where the process has to match them. */
export interface LinkGroup {
  linkId: number
  class: VisitorClass | null
  userAgent: string | null
  referrer: string | null
  visits: number
}

export function linkGroupsOf(
  database: Database,
  range: RawRange,
  known: KnownTexts,
  limit: number,
): AsyncIterable<LinkGroup[]> {
  const referrer = known.referrers === undefined ? sql`NULL::text` : sql`unnumbered_referrer`
  const query = sql<LinkGroup>`
    SELECT link_id AS "linkId", class, unnumbered_agent AS "userAgent", ${referrer} AS referrer, count(*) AS visits
    FROM (${matchingVisits(range, known)}) AS visit
    GROUP BY 1, 2, 3, 4
    LIMIT ${limit}`
  return readInChunks(database, query, chunkRows)
}

/** Restricts the minute, too, since the index of a link's visits is by minute. */
function inRange({ linkId, buckets, country, language }: RawRange): RawBuilder<unknown> {
  const { starts, end } = buckets
  const from = starts[0] ?? end
  const minute = sql`date_bin('1 minute', visited_at, 'epoch'::timestamptz)`
  return sql`${rawVisitsOf(linkId)}
    AND visited_at >= ${from}::timestamptz AND visited_at < ${end}::timestamptz
    AND ${minute} >= ${from}::timestamptz AND ${minute} < ${end}::timestamptz
    AND ${isCode(sql`country`, country)} AND ${isCode(sql`language`, language)}`
}

export function isCode(column: RawBuilder<unknown>, code: number | null | undefined): RawBuilder<unknown> {
  if (code === undefined) return sql`true`
  return code === null ? sql`${column} IS NULL` : sql`${column} = ${code}`
}
