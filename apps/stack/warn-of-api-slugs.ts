/**
 * Names the links of a database from before `/api/…` whose slug is `api`, in upper or lower case. They go on leading to
 * their targets, but whatever follows `/api/` belongs to the API, also where it only damaged the link (`/api/`), and a
 * proxy may have a rule for that path.
 */
import type pg from 'pg'

/** The first migration of the release that has `/api/…`. */
const firstMigration = '20261126000011'
/** Compared by the unique index: nothing else finds them quickly among millions. */
const slugs = ['a', 'A'].flatMap(a => ['p', 'P'].flatMap(p => ['i', 'I'].map(i => a + p + i)))

/** Called before the migrations: only an upgrade warns. */
export async function warnOfApiSlugs(client: pg.Client, warn: (line: string) => void): Promise<void> {
  if (!(await isFormerRelease(client))) return
  const { rows } = await client.query<{ slug: string }>(
    'SELECT slug FROM links WHERE slug = ANY($1) ORDER BY slug',
    [slugs],
  )
  for (const { slug } of rows)
    warn(
      `the link /${slug} still leads to its target and counts, but addresses below /${slug}/ belong to the API now: a proxy's rule for /api/ must not catch it`,
    )
}

async function isFormerRelease(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ has_tables: boolean }>(
    `SELECT to_regclass('schema_migrations') IS NOT NULL AND to_regclass('links') IS NOT NULL AS has_tables`,
  )
  if (rows[0]?.has_tables !== true) return false
  const applied = await client.query('SELECT FROM schema_migrations WHERE version = $1', [firstMigration])
  return applied.rowCount === 0
}
