import swagger from '@fastify/swagger'
import scalar from '@scalar/fastify-api-reference'
import type { FastifyInstance } from 'fastify'

/** `GET /openapi.json` and `GET /docs`, made from the routes' schemas. Call before the routes are added. */
export async function documentRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Hopcount',
        description: 'A URL shortener that counts every redirect exactly once.',
        version: '1',
      },
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) => String(json['$id'] ?? `schema-${index}`),
    },
  })
  app.get(
    '/openapi.json',
    { schema: { summary: 'This interface as OpenAPI 3.1' } },
    async (_request, reply) =>
      reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
  )
  await app.register(scalar, { routePrefix: '/docs', configuration: { url: '/openapi.json' } })
}
