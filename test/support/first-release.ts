/**
 * Release 0.1.0 as a database knows it: its schema, what it left in there, and the statements of its API and workers. Its rules
 * took only some bots for bots, and knew neither channels nor names of bots.
 */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Pool } from 'pg'
import { inTransaction } from '../../apps/shared/database/in-transaction.ts'
import { root } from './processes.ts'
import type { TestDatabase } from './test-database.ts'
import { createTestDatabase } from './test-database.ts'

const lastMigration = '20261122000004'
export const laterMigrations = readdirSync(join(root, 'db/migrations'))
  .filter(name => name.slice(0, lastMigration.length) > lastMigration)
  .sort()

const producerId = '019aab7c-0000-7000-8000-000000000000'
const texts = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621.963',
  'https://news.example/item?id=1',
  'https://claude.ai/chat/1',
]
const links = 2_000

export async function createFirstReleaseDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase()
  for (const _ of laterMigrations) await dbmate(database.url, 'down')
  return database
}

async function dbmate(url: string, command: string): Promise<void> {
  const withoutTls = new URL(url)
  withoutTls.searchParams.set('sslmode', 'disable')
  const args = [
    '--url',
    withoutTls.href,
    '--migrations-dir',
    `${root}/db/migrations`,
    '--no-dump-schema',
    command,
  ]
  await promisify(execFile)(`${root}/node_modules/.bin/dbmate`, args, { cwd: root })
}

/** Visits of 2,000 links in the last `days` days, some of them by bots that 0.1.0 took for humans. */
export async function seedFirstRelease(pool: Pool, visits: number, days: number): Promise<void> {
  await pool.query('INSERT INTO texts (text) SELECT unnest($1::text[])', [texts])
  await pool.query(
    `INSERT INTO links (slug, long_url, created_at)
     SELECT 'first-' || g, 'https://example.com/' || g, now() - $2 * interval '1 day' FROM generate_series(1, $1) AS g`,
    [links, days],
  )
  await pool.query(
    `SELECT ensure_visit_partitions((now() AT TIME ZONE 'UTC')::date - $1::integer, $1::integer)`,
    [days],
  )
  await pool.query(
    `INSERT INTO visits (link_id, visited_at, user_agent_id, referrer_id, country, language)
     SELECT 1 + (g::bigint * 611953) % $2, now() - (g::float8 / $1) * $3 * interval '1 day', 1 + (g % 4 = 0)::integer, 3 + g % 2, 4 * 27 + 5, 4 * 27 + 5
     FROM generate_series(1, $1) AS g`,
    [visits, links, days],
  )
  for (const link of ['link_id', '0'])
    await pool.query(`
      INSERT INTO link_days (link_id, day, visits, bots, previews, uniques)
        SELECT ${link}, (visited_at AT TIME ZONE 'UTC')::date, count(*), 0, 0, 0 FROM visits GROUP BY 1, 2;
      INSERT INTO link_quarters (link_id, quarter, visits)
        SELECT ${link}, date_bin('15 minutes', visited_at, 'epoch'), count(*) FROM visits GROUP BY 1, 2;
      INSERT INTO link_minutes (link_id, minute, visits, bots, previews)
        SELECT ${link}, date_bin('1 minute', visited_at, 'epoch'), count(*), 0, 0 FROM visits
        WHERE visited_at > now() - interval '2 days' GROUP BY 1, 2;
      INSERT INTO link_totals (link_id, visits, first_visit, last_visit)
        SELECT ${link}, count(*), min(visited_at), max(visited_at) FROM visits GROUP BY 1`)
  await pool.query(
    `INSERT INTO link_breakdowns (link_id, day, breakdowns) SELECT link_id, day, ${breakdowns('visits')} FROM link_days`,
  )
  await pool.query('INSERT INTO ledger_watermarks (producer_id, seq, visits) VALUES ($1, 1, $2)', [
    producerId,
    visits,
  ])
  await pool.query(
    'VACUUM (ANALYZE) visits, link_days, link_totals, link_quarters, link_minutes, link_breakdowns',
  )
}

/** As JSON, if all visits are alike; by 0.1.0's keys. */
function breakdowns(visits: string): string {
  const keys = ['r*', 'cDE', 'bChrome', 'oWindows', 'dDesktop', 'lde']
  return `json_build_object(${keys.map(key => `'${key}', ${visits}`).join(', ')})`
}

/** Records a batch of a visit by a bot that 0.1.0 took for a human, of link 1 at this moment, as its workers did. */
export async function recordAsFirstRelease(pool: Pool, seq: number): Promise<void> {
  await inTransaction(pool, async client => {
    await client.query('INSERT INTO ledger (producer_id, seq, counted) VALUES ($1, $2, 1)', [producerId, seq])
    await client.query('INSERT INTO visits (link_id, visited_at, user_agent_id) VALUES (1, now(), 2)')
    for (const linkId of [1, 0])
      await client.query(`
        INSERT INTO breakdown_deltas (link_id, day, breakdowns) VALUES (${linkId}, current_date, ${breakdowns('1')});
        INSERT INTO link_totals AS total (link_id, visits, bots, previews, uniques, first_visit, last_visit)
          VALUES (${linkId}, 1, 0, 0, 0, now(), now())
          ON CONFLICT (link_id) DO UPDATE SET visits = total.visits + 1, last_visit = greatest(total.last_visit, excluded.last_visit);
        INSERT INTO link_days AS total (link_id, day, visits, bots, previews, uniques)
          VALUES (${linkId}, (now() AT TIME ZONE 'UTC')::date, 1, 0, 0, 0)
          ON CONFLICT (link_id, day) DO UPDATE SET visits = total.visits + 1;
        INSERT INTO link_quarters AS total (link_id, quarter, visits, bots, previews)
          VALUES (${linkId}, date_bin('15 minutes', now(), 'epoch'), 1, 0, 0)
          ON CONFLICT (link_id, quarter) DO UPDATE SET visits = total.visits + 1;
        INSERT INTO link_minutes AS total (link_id, minute, visits, bots, previews)
          VALUES (${linkId}, date_bin('1 minute', now(), 'epoch'), 1, 0, 0)
          ON CONFLICT (link_id, minute) DO UPDATE SET visits = total.visits + 1`)
  })
}

/** What its workers did every 10 s: takes the deltas of a link, and writes its row anew. */
export function foldAsFirstRelease(pool: Pool): Promise<void> {
  return inTransaction(pool, async client => {
    await client.query('DELETE FROM breakdown_deltas WHERE link_id = 1')
    await client.query(
      `INSERT INTO link_breakdowns (link_id, day, breakdowns) VALUES (1, current_date, '{}'::json)
       ON CONFLICT (link_id, day) DO UPDATE SET breakdowns = excluded.breakdowns`,
    )
  })
}

/** What its API did for `POST /shorten` and for a link that no cache knew. Returns the link that was found. */
export async function shortenAsFirstRelease(pool: Pool, slug: string): Promise<unknown> {
  await pool.query({
    name: 'insert-links-0.1',
    text: `WITH made AS (
             INSERT INTO links (slug, long_url, expires_at, reuse_key)
             SELECT slug, long_url, expires_at, reuse_key
             FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bytea[]) AS link (slug, long_url, expires_at, reuse_key)
             ORDER BY reuse_key, slug
             ON CONFLICT DO NOTHING
             RETURNING slug
           ), told AS (
             SELECT pg_notify('hopcount_links', string_agg(slug, ' '))
             FROM (SELECT slug, (row_number() OVER () - 1) / 100 AS message FROM made) AS numbered
             GROUP BY message
           )
           SELECT string_agg(slug, ' ') AS slugs, now()::timestamptz(3) AS created_at, (SELECT count(*) FROM told)
           FROM made`,
    values: [[slug], [`https://example.com/${slug}`], null, null],
  })
  const { rows } = await pool.query({
    name: 'find-links-0.1',
    text: 'SELECT id, slug, long_url, expires_at FROM links WHERE slug = ANY($1::text[])',
    values: [[slug]],
  })
  return rows[0]?.long_url
}
