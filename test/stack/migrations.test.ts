import { join } from 'node:path'
import type { Pool } from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { migrateDatabase } from '../../apps/stack/migrate-database.ts'
import {
  createFirstReleaseDatabase,
  laterMigrations,
  recordAsFirstRelease,
  seedFirstRelease,
} from '../support/first-release.ts'
import { openPool } from '../support/hopcount.ts'
import { inspectMigration, parseMigration, readMigration } from '../support/inspect-migration.ts'
import { root } from '../support/processes.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

test('no migration since 0.1.0 stops a database in use', async () => {
  const pool = openPool((await createFirstReleaseDatabase()).url)
  await seedFirstRelease(pool, 500, 2)
  const problems: [string, string[]][] = []
  for (const name of laterMigrations)
    problems.push([name, await inspectMigration(pool, readMigration(join(root, 'db/migrations', name)))])
  expect(problems).toEqual(laterMigrations.map(name => [name, []]))
})

let pool: Pool

beforeAll(async () => {
  pool = openPool((await createTestDatabase()).url)
  await pool.query('CREATE TABLE other (id bigint PRIMARY KEY)')
})

const bounded = `SET LOCAL lock_timeout = '800ms';`

test.each([
  [
    'a column without lock_timeout',
    'ALTER TABLE links ADD COLUMN remark text',
    /links is locked.*lock_timeout/,
  ],
  [
    'a long lock_timeout',
    `SET LOCAL lock_timeout = '1min'; ALTER TABLE links ADD COLUMN remark2 text`,
    /locked/,
  ],
  ['an index', `${bounded} CREATE INDEX ON link_days (visits)`, /rows of link_days are read/],
  ['an index without lock_timeout', 'CREATE INDEX ON ledger (counted)', /ledger is locked \(ShareLock\)/],
  ['another type', `${bounded} ALTER TABLE link_days ALTER bots TYPE numeric`, /link_days is rewritten/],
  [
    'a volatile default',
    `${bounded} ALTER TABLE links ADD COLUMN x float8 DEFAULT random()`,
    /links is rewritten/,
  ],
  [
    'a stored column',
    `${bounded} ALTER TABLE links ADD COLUMN y integer GENERATED ALWAYS AS (length(slug)) STORED`,
    /links is rewritten/,
  ],
  [
    'a backfill',
    `INSERT INTO link_totals (link_id, visits, first_visit, last_visit) VALUES (1, 1, now(), now())`,
    /rows of link_totals are written/,
  ],
  ['a deletion', 'DELETE FROM orphan_visits', /rows of orphan_visits are read/],
  [
    'a copy',
    'CREATE TABLE sums AS SELECT link_id, sum(visits) FROM link_days GROUP BY 1',
    /rows of link_days are read/,
  ],
  ['a validated check', `${bounded} ALTER TABLE texts ADD CHECK (id > 0)`, /rows of texts are read/],
  ['NOT NULL', `${bounded} ALTER TABLE links ALTER expires_at SET NOT NULL`, /rows of links are read/],
  [
    'a foreign key',
    `${bounded} ALTER TABLE gone_requests ADD FOREIGN KEY (link_id) REFERENCES other`,
    /gone_requests are read/,
  ],
  ['a unique key', `${bounded} ALTER TABLE ledger ADD UNIQUE (seq, producer_id)`, /rows of ledger are read/],
  ['a rebuilt index', `${bounded} REINDEX TABLE link_days`, /link_days_pkey is rewritten/],
  ['an emptied table', `${bounded} TRUNCATE breakdown_deltas`, /breakdown_deltas is rewritten/],
  [
    'an attached partition',
    `${bounded} CREATE TABLE v (LIKE visits); ALTER TABLE visits ATTACH PARTITION v FOR VALUES FROM ('1999-01-01') TO ('1999-01-02')`,
    /rows of visits_default are read/,
  ],
  [
    'a dropped column',
    `${bounded} ALTER TABLE link_days DROP COLUMN previews`,
    /link_days.previews bigint is dropped/,
  ],
  ['a renamed table', `${bounded} ALTER TABLE texts RENAME TO words`, /texts is dropped or renamed/],
])('a migration with %s is found', async (_, up, problem) => {
  const problems = await inspectMigration(pool, parseMigration('example', `-- migrate:up\n${up}`)).catch(
    error => {
      throw new Error(`${up}: ${error.message}`)
    },
  )
  expect(problems).toContainEqual(expect.stringMatching(problem))
})

test.each([
  ['a new table', 'CREATE TABLE fresh (a bigint); CREATE INDEX ON fresh (a); INSERT INTO fresh VALUES (1)'],
  [
    'a column with a constant default',
    `${bounded} ALTER TABLE links ADD COLUMN z smallint NOT NULL DEFAULT 1`,
  ],
  ['a check that is not validated', `${bounded} ALTER TABLE links ADD CHECK (id > 0) NOT VALID`],
  ['storage settings', `${bounded} ALTER TABLE links SET (autovacuum_vacuum_scale_factor = 0.01)`],
])('a migration with %s is accepted', async (_, up) => {
  expect(await inspectMigration(pool, parseMigration('example', `-- migrate:up\n${up}`))).toEqual([])
})

test('outside a transaction a migration is one statement with CONCURRENTLY', async () => {
  const inspect = (up: string) =>
    inspectMigration(pool, parseMigration('example', `-- migrate:up transaction:false\n${up}`))
  expect(await inspect('CREATE INDEX CONCURRENTLY ON links (created_at);')).toEqual([])
  for (const up of ['CREATE INDEX ON links (title)', 'CREATE INDEX CONCURRENTLY ON links (id); SELECT 1;'])
    expect(await inspect(up)).toEqual(['transaction:false is for one statement with CONCURRENTLY'])
})

test('a migration that waits for a long query lets recording go on, and is applied after it', async () => {
  const { url } = await createFirstReleaseDatabase()
  const database = openPool(url)
  await seedFirstRelease(database, 100, 1)
  const reader = await database.connect()
  await reader.query('BEGIN; LOCK TABLE link_totals, link_breakdowns IN ACCESS SHARE MODE')
  let migrated = false
  const migrating = migrateDatabase({ databaseUrl: url, redisUrl: 'redis://127.0.0.1:1' }).then(() => {
    migrated = true
  })
  await waitUntil(
    async () => {
      const { rows } = await database.query<{ waiting: boolean }>(
        `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' AND relation = 'link_totals'::regclass) AS waiting`,
      )
      return rows[0]?.waiting
    },
    { what: 'the migration waits for the reader', everyMs: 10 },
  )
  for (let seq = 2; seq < 20; seq++) await recordAsFirstRelease(database, seq)
  expect(migrated).toBe(false)
  await reader.query('COMMIT')
  reader.release()
  await migrating
})

test('an index whose building was interrupted is built again, and one that is being built is waited for', async () => {
  const { url } = await createFirstReleaseDatabase()
  const database = openPool(url)
  const migrate = () => migrateDatabase({ databaseUrl: url, redisUrl: 'redis://127.0.0.1:1' })
  const index = async () => {
    const { rows } = await database.query<{ valid: boolean; definition: string }>(
      `SELECT indisvalid AS valid, pg_get_indexdef(indexrelid) AS definition
       FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = 'links_limited'`,
    )
    return rows[0]
  }
  const [reader, builder] = [await database.connect(), await database.connect()]
  /** Resolves while the index is being built, which waits for the reader's older transaction. */
  async function build() {
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM links LIMIT 1')
    const built = builder
      .query('CREATE INDEX CONCURRENTLY links_limited ON links (id) WHERE expires_at IS NOT NULL')
      .catch((error: Error) => error)
    await waitUntil(index, { what: 'the index is being built' })
    return { built }
  }

  const { built: interrupted } = await build()
  await database.query(
    `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY links_limited%' AND datname = current_database()`,
  )
  expect(await interrupted).toMatchObject({ code: '57014' })
  expect(await index()).toMatchObject({ valid: false })
  await reader.query('COMMIT')
  await migrate()
  expect(await index()).toMatchObject({ valid: true, definition: expect.stringContaining('valid_from') })

  await database.query(`DROP INDEX links_limited`)
  await database.query(`DELETE FROM schema_migrations WHERE version = '20261126000015'`)
  const { built } = await build()
  const migrated = migrate()
  await waitUntil(
    async () => {
      const { rows } = await database.query<{ waits: boolean }>(
        `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%FROM pg_stat_progress_create_index%' AND pid <> pg_backend_pid()) AS waits`,
      )
      return rows[0]?.waits
    },
    { what: 'the migration waits for the build' },
  )
  expect(await index()).toMatchObject({ valid: false })
  await reader.query('COMMIT')
  await Promise.all([built, migrated])
  expect(await index()).toMatchObject({ valid: true, definition: expect.not.stringContaining('valid_from') })
  reader.release()
  builder.release()
})
