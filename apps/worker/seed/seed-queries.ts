/**
 * The statements of a seed, all in one session: a temporary table lists the links, and those of raw-day.ts hold a day's
 * visits and their sums.
 *
 * A draw by Zipf's law with exponent 1 over N items is a rounded log-uniform one: round(½ · (2N + 1)^random) gives rank k
 * the share ln((k + ½) / (k − ½)) / ln(2N + 1), within 9 % of 1/k for the first rank and 2 % for all others.
 */
import { allLinks } from '@hopcount/shared/all-links.ts'
import { listedValues } from '@hopcount/shared/breakdowns.ts'
import { dayText } from '@hopcount/shared/days.ts'
import type { Pool, PoolClient } from 'pg'

/** In a transaction. The sums of all links are written at its end, because workers need those rows all the time. */
export async function createSeedTables(client: PoolClient): Promise<void> {
  await client.query(
    `CREATE TEMPORARY TABLE seed_links (n bigint NOT NULL, link_id bigint NOT NULL) ON COMMIT DROP;
     CREATE TEMPORARY TABLE seed_days (LIKE day_links, day date NOT NULL) ON COMMIT DROP;
     ALTER TABLE seed_days ALTER breakdowns DROP NOT NULL;
     CREATE TEMPORARY TABLE all_links_quarters (LIKE day_quarters) ON COMMIT DROP;
     CREATE TEMPORARY TABLE all_links_minutes (LIKE day_minutes) ON COMMIT DROP`,
  )
}

/** Inserts links number `from` to `to`. Throws (unique_violation) if a slug exists. */
export async function insertSeedLinks(
  client: PoolClient,
  options: { slugPrefix: string; from: number; to: number; createdAt: Date },
): Promise<void> {
  await client.query(
    `WITH made AS (
       INSERT INTO links (slug, long_url, created_at)
       SELECT $1 || lpad(n::text, greatest(7, length(n::text)), '0'), 'https://www.example.com/articles/' || n || '/how-it-began?source=seed', $4
       FROM generate_series($2::bigint, $3::bigint) AS n
       RETURNING id, slug
     )
     INSERT INTO seed_links SELECT substr(slug, length($1) + 1)::bigint, id FROM made`,
    [options.slugPrefix, options.from, options.to, options.createdAt],
  )
}

export async function analyzeSeedLinks(client: PoolClient): Promise<void> {
  await client.query('CREATE INDEX ON seed_links (n)')
  await client.query('ANALYZE seed_links')
}

/** Creates day partitions (UTC) for a span; returns how many were created. */
export async function makePartitions(pool: Pool, from: Date, to: Date): Promise<number> {
  const { rows } = await pool.query<{ made: number }>(
    `SELECT ensure_visit_partitions(($1::timestamptz AT TIME ZONE 'UTC')::date,
       ($2::timestamptz AT TIME ZONE 'UTC')::date - ($1::timestamptz AT TIME ZONE 'UTC')::date + 1) AS made`,
    [from, to],
  )
  return rows[0]?.made ?? 0
}

/** Numbers all texts, as a worker would number those that repeat; returns the numbers in the order of the texts. */
export async function numberSeedTexts(pool: Pool, texts: string[]): Promise<number[]> {
  await pool.query(
    'INSERT INTO texts (text) SELECT DISTINCT text FROM unnest($1::text[]) AS text ORDER BY text ON CONFLICT (text) DO UPDATE SET used_on = CURRENT_DATE',
    [texts],
  )
  const { rows } = await pool.query<{ id: number }>(
    `SELECT texts.id FROM unnest($1::text[]) WITH ORDINALITY AS wanted (text, place) JOIN texts USING (text) ORDER BY place`,
    [texts],
  )
  return rows.map(row => row.id)
}

/** Numbers of texts by family: those of family k are consecutive, starting at (k − 1) · perFamily. */
export interface SeedTexts {
  ids: number[]
  families: number
  perFamily: number
}

/**
 * Draws visits within a span into raw_day, in chronological order, more of them in its middle than at its ends.
 */
export async function drawVisits(
  client: PoolClient,
  options: {
    from: Date
    to: Date
    visits: number
    links: number
    userAgents: SeedTexts
    referrers: SeedTexts
    /** The share of visits with a referrer. */
    referrerShare: number
    /** As in `visits`; null: unknown. */
    countries: (number | null)[]
    languages: (number | null)[]
    /** The number of the day's visitors, among whom that of each visit is drawn. */
    visitors: number
    /** Any number; different numbers give different visitors. */
    visitorSeed: number
  },
): Promise<void> {
  await client.query(
    `WITH chance AS MATERIALIZED (
       SELECT random() AS link, random() AS moment, random() AS agent, random() AS agent_number,
              random() AS has_referrer, random() AS referrer, random() AS referrer_number,
              random() AS country, random() AS language, random() AS person
       FROM generate_series(1, $3::bigint)
     )
     INSERT INTO raw_day (link_id, visited_at, referrer_id, user_agent_id, country, language, visitor)
     SELECT seed_links.link_id,
            date_trunc('milliseconds', $1::timestamptz
              + ($2::timestamptz - $1::timestamptz) * (moment + 0.12 * sin(2 * pi() * moment)) * 0.9999999)::timestamptz(3) AS visited_at,
            CASE WHEN has_referrer < $6 THEN
              ($7::integer[])[(round(0.5 * power(2 * $8::float8 + 1, referrer))::integer - 1) * $9::integer
                              + round(0.5 * power(2 * $9::float8 + 1, referrer_number))::integer] END,
            ($10::integer[])[(round(0.5 * power(2 * $11::float8 + 1, agent))::integer - 1) * $12::integer
                             + round(0.5 * power(2 * $12::float8 + 1, agent_number))::integer],
            ($13::smallint[])[round(0.5 * power(2 * cardinality($13::smallint[])::float8 + 1, country))::integer],
            ($14::smallint[])[round(0.5 * power(2 * cardinality($14::smallint[])::float8 + 1, language))::integer],
            hashint8extended(floor(power(person, 1.3) * $15::float8)::bigint, $16::bigint)
     FROM chance JOIN seed_links
       -- Popular links are spread among the others: rank times a prime, modulo the number of links.
       ON seed_links.n = (least(greatest(round(0.5 * power(2 * $4::float8 + 1, link)), 1), $4::float8)::bigint * $5::bigint) % $4::bigint + 1
     ORDER BY 2`,
    [
      options.from,
      options.to,
      options.visits,
      options.links,
      rankStep(options.links),
      options.referrerShare,
      options.referrers.ids,
      options.referrers.families,
      options.referrers.perFamily,
      options.userAgents.ids,
      options.userAgents.families,
      options.userAgents.perFamily,
      options.countries,
      options.languages,
      options.visitors,
      options.visitorSeed,
    ],
  )
}

/** A prime that does not divide the number of links: multiples of it, modulo that number, are all different. */
function rankStep(links: number): number {
  return links % 611_953 === 0 ? 1_299_709 : 611_953
}

/**
 * Writes a day that has been drawn and summed (raw-day.ts). The links are the seed's own and each day is written once,
 * so none of these rows exists yet.
 */
export async function insertSeedDay(
  client: PoolClient,
  day: number,
  options: { withVisitors: boolean },
): Promise<void> {
  await client.query(
    `INSERT INTO visits (link_id, visited_at, referrer_id, user_agent_id, country, language)
     SELECT link_id, visited_at, referrer_id, user_agent_id, country, language FROM raw_day`,
  )
  if (options.withVisitors) {
    await client.query(
      `INSERT INTO visitors (link_id, day, visitor)
       SELECT DISTINCT link_id, $1::date, visitor
       FROM described_day WHERE NOT bot AND NOT preview ORDER BY 1, 3`,
      [dayText(day)],
    )
  }
  await client.query(
    `INSERT INTO link_days (link_id, day, visits, bots, previews, uniques)
     SELECT link_id, $1::date, visits, bots, previews, uniques
     FROM day_links WHERE link_id <> ${allLinks} ORDER BY 1`,
    [dayText(day)],
  )
  await client.query(
    `INSERT INTO link_breakdowns (link_id, day, breakdowns, listed)
     SELECT link_id, $1::date, breakdowns, ${listedValues} FROM day_links WHERE link_id <> ${allLinks} ORDER BY 1`,
    [dayText(day)],
  )
  await client.query(
    `INSERT INTO link_quarters (link_id, quarter, visits, bots, previews)
     SELECT link_id, quarter, visits, bots, previews FROM day_quarters WHERE link_id <> ${allLinks} ORDER BY 1, 2`,
  )
  await client.query(
    `INSERT INTO link_minutes (link_id, minute, visits, bots, previews)
     SELECT link_id, minute, visits, bots, previews FROM day_minutes WHERE link_id <> ${allLinks} ORDER BY 1, 2`,
  )
  await client.query(
    `INSERT INTO seed_days
     SELECT link_id, visits, bots, previews, uniques, first_visit, last_visit,
            CASE WHEN link_id = ${allLinks} THEN breakdowns END, $1::date FROM day_links`,
    [dayText(day)],
  )
  await client.query(
    `INSERT INTO all_links_quarters SELECT * FROM day_quarters WHERE link_id = ${allLinks};
     INSERT INTO all_links_minutes SELECT * FROM day_minutes WHERE link_id = ${allLinks}`,
  )
}

/** Batches in which the visits could have arrived: all have `batchVisits` visits, except the last. */
export async function enterSeedLedger(
  client: PoolClient,
  options: { producerId: string; firstSeq: number; visits: number; batchVisits: number },
): Promise<number> {
  const batches = Math.ceil(options.visits / options.batchVisits)
  await client.query(
    `INSERT INTO ledger (producer_id, seq, counted)
     SELECT $1::uuid, $2::bigint + n, least($4::bigint, $3::bigint - n * $4::bigint)
     FROM generate_series(0, $5::bigint - 1) AS n`,
    [options.producerId, options.firstSeq, options.visits, options.batchVisits, batches],
  )
  return batches
}

/** What autovacuum would do within a minute: statistics for the planner, and pages marked as all-visible. */
export async function vacuumSeeded(pool: Pool): Promise<void> {
  await pool.query(
    'VACUUM (ANALYZE) links, texts, visits, visitors, link_totals, link_days, link_breakdowns, link_quarters, link_minutes',
  )
}
