/**
 * The statements of a seed, all on one session: links are found through a temporary table, sums are kept in another.
 * Draws by a Zipf law of exponent 1 over N things are rounded log-uniform ones: round(½ · (2N + 1)^random), which gives
 * rank k the share ln((k + ½) / (k − ½)) / ln(2N + 1), within 9 % of 1/k for the first rank, 2 % for all others.
 */
import type { PoolClient } from 'pg'

export async function createSeedTables(client: PoolClient): Promise<void> {
  await client.query('CREATE TEMPORARY TABLE seed_links (n bigint NOT NULL, link_id bigint NOT NULL)')
  await client.query(
    `CREATE TEMPORARY TABLE seed_sums (
       link_id bigint NOT NULL, visits bigint NOT NULL, first_visit timestamptz(3) NOT NULL, last_visit timestamptz(3) NOT NULL
     )`,
  )
}

/** Links number `from` to `to`. Throws (unique_violation) where a slug exists. */
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

/** Day partitions (UTC) for a span; returns how many were made. */
export async function makePartitions(client: PoolClient, from: Date, to: Date): Promise<number> {
  const { rows } = await client.query<{ made: number }>(
    `SELECT ensure_visit_partitions(($1::timestamptz AT TIME ZONE 'UTC')::date,
       ($2::timestamptz AT TIME ZONE 'UTC')::date - ($1::timestamptz AT TIME ZONE 'UTC')::date + 1) AS made`,
    [from, to],
  )
  return rows[0]?.made ?? 0
}

/** Numbers of the texts, in their order; a worker would have numbered all that come again. */
export async function numberSeedTexts(client: PoolClient, texts: string[]): Promise<number[]> {
  await client.query(
    'INSERT INTO texts (text) SELECT DISTINCT text FROM unnest($1::text[]) AS text ORDER BY text ON CONFLICT DO NOTHING',
    [texts],
  )
  const { rows } = await client.query<{ id: number }>(
    `SELECT texts.id FROM unnest($1::text[]) WITH ORDINALITY AS asked (text, place) JOIN texts USING (text) ORDER BY place`,
    [texts],
  )
  return rows.map(row => row.id)
}

/** Numbers of texts by family: those of family k lie one after the other, from (k − 1) · perFamily on. */
export interface SeedTexts {
  ids: number[]
  families: number
  perFamily: number
}

/**
 * Draws visits within a span that begins and ends with quarter hours, or at the end of all spans, in the order of their
 * moments, more of them in its middle than at its ends. Raw rows, quarter hours and the sums per link are of the same draw.
 * The links are the seed's own and spans don't overlap, so no quarter hour has a row yet.
 */
export async function insertSeedVisits(
  client: PoolClient,
  options: {
    from: Date
    to: Date
    visits: number
    links: number
    userAgents: SeedTexts
    referrers: SeedTexts
    /** Of all visits: those that have a referrer. */
    referrerShare: number
  },
): Promise<void> {
  await client.query(
    `WITH chance AS MATERIALIZED (
       SELECT random() AS link, random() AS moment, random() AS agent, random() AS agent_number,
              random() AS has_referrer, random() AS referrer, random() AS referrer_number
       FROM generate_series(1, $3::bigint)
     ),
     drawn AS MATERIALIZED (
       SELECT seed_links.link_id,
              date_trunc('milliseconds', $1::timestamptz
                + ($2::timestamptz - $1::timestamptz) * (moment + 0.12 * sin(2 * pi() * moment)) * 0.9999999)::timestamptz(3) AS visited_at,
              CASE WHEN has_referrer < $6 THEN
                ($7::integer[])[(round(0.5 * power(2 * $8::float8 + 1, referrer))::integer - 1) * $9::integer
                                + round(0.5 * power(2 * $9::float8 + 1, referrer_number))::integer] END AS referrer_id,
              ($10::integer[])[(round(0.5 * power(2 * $11::float8 + 1, agent))::integer - 1) * $12::integer
                               + round(0.5 * power(2 * $12::float8 + 1, agent_number))::integer] AS user_agent_id
       FROM chance JOIN seed_links
         -- Popular links lie anywhere among the others: rank times a prime, modulo the number of links.
         ON seed_links.n = (least(greatest(round(0.5 * power(2 * $4::float8 + 1, link)), 1), $4::float8)::bigint * $5::bigint) % $4::bigint + 1
       ORDER BY 2
     ),
     raw AS (
       INSERT INTO visits (link_id, visited_at, referrer_id, user_agent_id)
       SELECT link_id, visited_at, referrer_id, user_agent_id FROM drawn
     ),
     quarters AS (
       INSERT INTO link_quarters (link_id, quarter, visits)
       SELECT link_id, date_bin('15 minutes', visited_at, 'epoch'::timestamptz), count(*) FROM drawn GROUP BY 1, 2 ORDER BY 1, 2
     )
     INSERT INTO seed_sums SELECT link_id, count(*), min(visited_at), max(visited_at) FROM drawn GROUP BY 1`,
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
    ],
  )
}

/** A prime that does not divide the number of links: multiples of it, modulo that number, are all different. */
function rankStep(links: number): number {
  return links % 611_953 === 0 ? 1_299_709 : 611_953
}

export async function insertSeedTotals(client: PoolClient): Promise<void> {
  await client.query(
    `INSERT INTO link_totals (link_id, visits, first_visit, last_visit)
     SELECT link_id, sum(visits), min(first_visit), max(last_visit) FROM seed_sums GROUP BY 1 ORDER BY 1`,
  )
}

/** The batches that the visits could have come in: all of `batchVisits`, but the last. */
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

/** What autovacuum would do within a minute: statistics for the planner, and pages marked as visible to all. */
export async function vacuumSeeded(client: PoolClient): Promise<void> {
  await client.query('VACUUM (ANALYZE) links, texts, visits, link_totals, link_quarters')
}
