/**
 * Yardstick for `POST /shorten`: Fastify that parses and validates the same body, stores nothing, and sends a response of
 * the same size. Listens on PORT.
 */
import type { NewLinkBody } from '../../../apps/api/resource/link-schema.ts'
import { NewLinkBodySchema } from '../../../apps/api/resource/link-schema.ts'
import { Fastify } from './product-fastify.ts'

const app = Fastify()
app.post<{ Body: NewLinkBody }>('/shorten', { schema: { body: NewLinkBodySchema } }, (request, reply) => {
  const shortUrl = `http://${request.host}/7bcdfgh`
  reply.code(201).headers({ location: shortUrl, 'cache-control': 'no-store' }).send({
    slug: '7bcdfgh',
    short_url: shortUrl,
    long_url: request.body.long_url,
    created_at: '2026-01-01T00:00:00.000Z',
  })
})
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
process.stdout.write('listening\n')
