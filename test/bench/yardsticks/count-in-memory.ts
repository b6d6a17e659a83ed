/**
 * Yardstick: what the fastest shorteners do. Links and counters are in memory, and what was counted is added to
 * PostgreSQL once a second; a kill loses what has not been added yet. Reads PORT, DATABASE_URL and LINKS.
 */
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { seededUrls } from './seeded-urls.ts'

const flushEveryMs = 1_000

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 })
await pool.query(
  'CREATE TABLE IF NOT EXISTS counted_in_memory (slug text PRIMARY KEY, visits bigint NOT NULL)',
)
const urls = seededUrls(Number(process.env.LINKS))
let counts = new Map<string, number>()

const server = createServer((request, response) => {
  const slug = request.url?.slice(1) ?? ''
  const location = urls.get(slug)
  if (location === undefined) {
    response.writeHead(404).end()
    return
  }
  counts.set(slug, (counts.get(slug) ?? 0) + 1)
  response.writeHead(307, { location, 'cache-control': 'private, no-store', 'content-length': '0' }).end()
})
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.stdout.write('listening\n'))
for (;;) {
  await sleep(flushEveryMs)
  await flush()
}

async function flush(): Promise<void> {
  if (counts.size === 0) return
  const flushed = counts
  counts = new Map()
  await pool.query(
    `INSERT INTO counted_in_memory AS counted SELECT * FROM unnest($1::text[], $2::bigint[])
     ON CONFLICT (slug) DO UPDATE SET visits = counted.visits + excluded.visits`,
    [[...flushed.keys()], [...flushed.values()]],
  )
}
