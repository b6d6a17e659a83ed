/** Yardstick: Fastify with the same 307 for every path. Listens on PORT. */
import { Fastify } from './product-fastify.ts'

const app = Fastify()
app.get('/:slug', (_request, reply) => {
  reply
    .code(307)
    .header('location', 'https://www.example.com/articles/1/how-it-began')
    .header('cache-control', 'private, no-store')
    .send()
})
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
process.stdout.write('listening\n')
