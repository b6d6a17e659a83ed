/**
 * Yardstick for `POST /shorten`: the same checks of the body, the same table and indexes, one INSERT per request.
 * Reads PORT and DATABASE_URL.
 */
import pg from 'pg'
import { checkLongUrl } from '../../../apps/api/links/check-long-url.ts'
import { generateSlug } from '../../../apps/api/links/generate-slug.ts'
import { Fastify } from './product-fastify.ts'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const app = Fastify()

app.post<{ Body: { long_url: string } }>(
  '/shorten',
  {
    schema: {
      body: { type: 'object', required: ['long_url'], properties: { long_url: { type: 'string' } } },
    },
  },
  async (request, reply) => {
    const target = checkLongUrl(request.body.long_url, {
      isOwnHost: host => host === request.host,
      allowPrivateTargets: false,
      domains: () => undefined,
    })
    if ('problem' in target) return reply.code(422).send({ detail: target.problem })
    const { rows } = await pool.query<{ slug: string; long_url: string; created_at: Date }>({
      name: 'insert-link',
      text: 'INSERT INTO links (slug, long_url) VALUES ($1, $2) RETURNING slug, long_url, created_at',
      values: [generateSlug(), target.href],
    })
    const link = rows[0]
    const shortUrl = `http://${request.host}/${link?.slug}`
    return reply
      .code(201)
      .headers({ location: shortUrl, 'cache-control': 'no-store' })
      .send({ ...link, short_url: shortUrl })
  },
)
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
process.stdout.write('listening\n')
