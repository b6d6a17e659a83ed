import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import manifest from '../../../package.json' with { type: 'json' }
import { securitySchemes } from '../access/route-rules.ts'
import { problemResponses } from '../errors/problem.ts'
import { docsPage } from './docs-page.ts'

/** `GET /openapi.json` and `GET /docs`, generated from the routes' schemas. Call before routes are added. */
export async function documentRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Hopcount',
        description: 'A URL shortener that counts every redirect exactly once.',
        version: manifest.version,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      components: { securitySchemes },
    },
    transformObject: document =>
      'openapiObject' in document ? withOptionalDefaults(document.openapiObject) : {},
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) => String(json.$id ?? `schema-${index}`),
    },
  })
  app.get(
    '/openapi.json',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'openapi',
        summary: 'This API as OpenAPI 3.1',
        response: {
          200: { ...Type.Object({}, { additionalProperties: true }), description: 'this document' },
          ...problemResponses(),
        },
      },
    },
    async (_request, reply) =>
      reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
  )
  await app.register(docsPage)
}

/** Parameters with a default are optional for clients; in the schemas they are required, so that their types lack undefined. */
function withOptionalDefaults<Document extends object>(document: Document): Document {
  const paths: Record<string, Record<string, Operation>> = 'paths' in document ? Object(document.paths) : {}
  for (const operation of Object.values(paths).flatMap(path => Object.values(path))) {
    for (const parameter of operation.parameters ?? [])
      if (parameter.schema?.default !== undefined) parameter.required = false
  }
  return document
}

interface Operation {
  parameters?: { required?: boolean; schema?: { default?: unknown } }[]
}
