/**
 * Yardstick: links in memory, and each visit is inserted into PostgreSQL before its 307. As durable as the database,
 * without sums: statistics would have to count rows. Reads PORT, DATABASE_URL and LINKS.
 */
import { createServer } from 'node:http'
import pg from 'pg'
import { seededUrls } from './seeded-urls.ts'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
await pool.query(`CREATE TABLE IF NOT EXISTS inserted_visits (
  slug text NOT NULL, visited_at timestamptz NOT NULL DEFAULT now(), referrer text, user_agent text)`)
const urls = seededUrls(Number(process.env.LINKS))

const server = createServer(async (request, response) => {
  const slug = request.url?.slice(1) ?? ''
  const location = urls.get(slug)
  if (location === undefined) {
    response.writeHead(404).end()
    return
  }
  try {
    await pool.query({
      name: 'insert-visit',
      text: 'INSERT INTO inserted_visits (slug, referrer, user_agent) VALUES ($1, $2, $3)',
      values: [slug, request.headers.referer, request.headers['user-agent']],
    })
  } catch {
    response.writeHead(503).end()
    return
  }
  response.writeHead(307, { location, 'cache-control': 'private, no-store', 'content-length': '0' }).end()
})
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.stdout.write('listening\n'))
