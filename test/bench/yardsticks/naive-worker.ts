/** Yardstick: counts the naive design's visits, one job and one transaction at a time. Reads REDIS_URL and DATABASE_URL. */
import pg from 'pg'
import { Worker } from './product-bullmq.ts'

interface NaiveVisit {
  slug: string
  visitedAt: number
  referrer?: string
  userAgent?: string
}

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 })
await pool.query(`CREATE TABLE IF NOT EXISTS naive_visits (
  slug text NOT NULL, visited_at timestamptz NOT NULL, referrer text, user_agent text)`)
await pool.query(
  'CREATE TABLE IF NOT EXISTS naive_totals (slug text PRIMARY KEY, visits bigint NOT NULL, last_visit timestamptz NOT NULL)',
)

const worker = new Worker<NaiveVisit>(
  'naive-visits',
  async ({ data }) => {
    const visitedAt = new Date(data.visitedAt)
    await pool.query(
      `WITH raw AS (INSERT INTO naive_visits VALUES ($1, $2, $3, $4))
       INSERT INTO naive_totals AS total VALUES ($1, 1, $2)
       ON CONFLICT (slug) DO UPDATE SET visits = total.visits + 1, last_visit = greatest(total.last_visit, excluded.last_visit)`,
      [data.slug, visitedAt, data.referrer ?? null, data.userAgent ?? null],
    )
  },
  { connection: { url: process.env.REDIS_URL ?? '', maxRetriesPerRequest: null } },
)
worker.on('error', error => process.stderr.write(`${error.message}\n`))
await worker.waitUntilReady()
process.stdout.write('listening\n')
