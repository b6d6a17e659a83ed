/**
 * The raw visits of one day, and the aggregates that they should give, in temporary tables: comparison, repair and seed
 * all use these sums. Descriptions (browser, source, …) come from the worker's own functions, the sums from SQL.
 *
 *   raw_day          the visits
 *   day_agents, day_sources   the descriptions of their texts
 *   day_quarters     per link and quarter hour, or hour where quarter hours are folded
 *   day_minutes      per link and minute
 *   day_links        per link; `uniques` is NULL if it can't be derived from what is stored
 *
 * Each of the last three holds all links together (link_id 0) as well.
 */
import { allLinks } from '@hopcount/shared/all-links.ts'
import { dayText } from '@hopcount/shared/days.ts'
import type { PoolClient } from 'pg'
import { describeRawDay } from './describe-raw-day.ts'

/** Creates the tables, which are dropped at the end of the transaction. */
export async function createRawDay(client: PoolClient): Promise<void> {
  await client.query(`
    SET LOCAL work_mem = '256MB';
    -- Cursors are read to their end.
    SET LOCAL cursor_tuple_fraction = 1;
    CREATE TEMPORARY TABLE raw_day (
      link_id bigint NOT NULL, visited_at timestamptz(3) NOT NULL, referrer_id integer, user_agent_id integer,
      referrer text, user_agent text, country smallint, language smallint, visitor bigint
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE day_agents (
      user_agent_id integer, user_agent text, profile integer NOT NULL, bot boolean NOT NULL, preview boolean NOT NULL
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE day_sources (referrer_id integer, referrer text, source integer NOT NULL) ON COMMIT DROP;
    CREATE TEMPORARY VIEW described_day AS
      SELECT raw.link_id, visited_at, country, language, visitor,
             coalesce(numbered_agent.profile, inline_agent.profile, 0) AS profile,
             -- No user agent: a bot.
             coalesce(numbered_agent.bot, inline_agent.bot, true) AS bot,
             coalesce(numbered_agent.preview, inline_agent.preview, false) AS preview,
             coalesce(numbered_source.source, inline_source.source, 0) AS source
      FROM raw_day AS raw
      LEFT JOIN day_agents AS numbered_agent USING (user_agent_id)
      LEFT JOIN day_agents AS inline_agent ON inline_agent.user_agent = raw.user_agent
      LEFT JOIN day_sources AS numbered_source USING (referrer_id)
      LEFT JOIN day_sources AS inline_source ON inline_source.referrer = raw.referrer;
    CREATE TEMPORARY TABLE day_quarters (
      link_id bigint NOT NULL, quarter timestamptz(0) NOT NULL, visits bigint NOT NULL, bots bigint NOT NULL,
      previews bigint NOT NULL, first_visit timestamptz(3) NOT NULL, last_visit timestamptz(3) NOT NULL
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE day_minutes (
      link_id bigint NOT NULL, minute timestamptz(0) NOT NULL, visits bigint NOT NULL, bots bigint NOT NULL, previews bigint NOT NULL
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE day_breakdowns (link_id bigint NOT NULL, breakdowns json NOT NULL) ON COMMIT DROP;
    CREATE TEMPORARY TABLE day_links (
      link_id bigint NOT NULL, visits bigint NOT NULL, bots bigint NOT NULL, previews bigint NOT NULL, uniques bigint,
      first_visit timestamptz(3) NOT NULL, last_visit timestamptz(3) NOT NULL, breakdowns json NOT NULL
    ) ON COMMIT DROP`)
}

/** Empties all of the tables. */
export async function clearRawDay(client: PoolClient): Promise<void> {
  await client.query(
    'TRUNCATE raw_day, day_agents, day_sources, day_quarters, day_minutes, day_breakdowns, day_links',
  )
}

/** Fills raw_day with the visits of a day. */
export async function readRawDay(client: PoolClient, day: number): Promise<void> {
  await client.query(
    `INSERT INTO raw_day (link_id, visited_at, referrer_id, user_agent_id, referrer, user_agent, country, language)
     SELECT link_id, visited_at, referrer_id, user_agent_id, referrer, user_agent, country, language FROM visits
     WHERE visited_at >= $1::date::timestamp AT TIME ZONE 'UTC'
       AND visited_at < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'`,
    [dayText(day)],
  )
}

export interface SumOptions {
  /** The length of the day's rows in link_quarters: an hour if the day has been folded. */
  bucketMs: number
  /** Minutes from here on (milliseconds since 1970); undefined: none. */
  minutesFrom: number | undefined
  /** Counted from the day's rows in `visitors`, from the drawn visitors in raw_day, or unknown. */
  uniques: { visitorsOfDay: number } | 'drawn' | 'unknown'
}

/** Fills the other tables from raw_day. */
export async function sumRawDay(
  client: PoolClient,
  { bucketMs, minutesFrom, uniques }: SumOptions,
): Promise<void> {
  await client.query('ANALYZE raw_day')
  await describeRawDay(client)
  await client.query(
    `INSERT INTO day_quarters
     SELECT link_id, date_bin($1::integer * interval '1 millisecond', visited_at, 'epoch'::timestamptz),
            count(*), count(*) FILTER (WHERE bot), count(*) FILTER (WHERE preview), min(visited_at), max(visited_at)
     FROM described_day GROUP BY 1, 2`,
    [bucketMs],
  )
  await client.query(
    `INSERT INTO day_quarters
     SELECT ${allLinks}, quarter, sum(visits), sum(bots), sum(previews), min(first_visit), max(last_visit)
     FROM day_quarters GROUP BY quarter`,
  )
  if (minutesFrom !== undefined) await sumMinutes(client, minutesFrom)
  await sumLinks(client, uniques)
}

async function sumMinutes(client: PoolClient, from: number): Promise<void> {
  await client.query(
    `INSERT INTO day_minutes
     SELECT link_id, date_bin('1 minute', visited_at, 'epoch'::timestamptz),
            count(*), count(*) FILTER (WHERE bot), count(*) FILTER (WHERE preview)
     FROM described_day
     WHERE date_bin('1 minute', visited_at, 'epoch'::timestamptz) >= to_timestamp($1::bigint / 1000.0) GROUP BY 1, 2`,
    [from],
  )
  await client.query(
    `INSERT INTO day_minutes SELECT ${allLinks}, minute, sum(visits), sum(bots), sum(previews) FROM day_minutes GROUP BY minute`,
  )
}

async function sumLinks(client: PoolClient, uniques: SumOptions['uniques']): Promise<void> {
  await client.query('ANALYZE day_quarters, day_breakdowns')
  await client.query(
    `INSERT INTO day_links (link_id, visits, bots, previews, uniques, first_visit, last_visit, breakdowns)
     SELECT link_id, visits, bots, previews,
            CASE WHEN $1::date IS NOT NULL OR $2::boolean THEN coalesce(seen.uniques, 0) END,
            first_visit, last_visit, breakdowns
     FROM (SELECT link_id, sum(visits)::bigint AS visits, sum(bots)::bigint AS bots, sum(previews)::bigint AS previews,
                  min(first_visit) AS first_visit, max(last_visit) AS last_visit
           FROM day_quarters GROUP BY link_id) AS sum
     JOIN day_breakdowns USING (link_id)
     LEFT JOIN (
       SELECT link_id, count(*) AS uniques FROM visitors WHERE day = $1::date GROUP BY link_id
       UNION ALL
       SELECT link_id, count(DISTINCT visitor) FROM described_day WHERE $2::boolean AND NOT bot AND NOT preview GROUP BY link_id
     ) AS seen USING (link_id)
     ORDER BY link_id`,
    [typeof uniques === 'object' ? dayText(uniques.visitorsOfDay) : null, uniques === 'drawn'],
  )
  // For all links: the sum over links.
  await client.query(
    `UPDATE day_links SET uniques = (SELECT sum(uniques) FROM day_links WHERE link_id <> ${allLinks}) WHERE link_id = ${allLinks}`,
  )
  await client.query('ANALYZE day_links')
}
