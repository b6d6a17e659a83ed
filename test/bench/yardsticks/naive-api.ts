/**
 * Yardstick: the naive design. Redis GET, one `queue.add` per visit, then the 307; `naive-worker.ts` counts one job at a
 * time. Reads PORT and REDIS_URL.
 */
import { Redis } from 'ioredis'
import { Queue } from './product-bullmq.ts'
import { Fastify } from './product-fastify.ts'

const url = process.env.REDIS_URL ?? ''
const links = new Redis(url)
const queue = new Queue('naive-visits', { connection: { url } })
const app = Fastify()

app.get<{ Params: { slug: string } }>('/:slug', async (request, reply) => {
  const { slug } = request.params
  const longUrl = await links.get(`naive:${slug}`)
  if (longUrl === null) return reply.code(404).send()
  await queue.add(
    'visit',
    {
      slug,
      visitedAt: Date.now(),
      referrer: request.headers.referer,
      userAgent: request.headers['user-agent'],
    },
    { removeOnComplete: true },
  )
  return reply.code(307).headers({ location: longUrl, 'cache-control': 'private, no-store' }).send()
})
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
process.stdout.write('listening\n')
