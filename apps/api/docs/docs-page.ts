/**
 * `GET /docs`: the API reference as a page. Scalar's script is served from here, never by a third party.
 *
 * Its package is 5 MB of JavaScript, so it is loaded on the first visit, which saves 0.1 s and 25 MB in other processes. The
 * script is requested once from a small separate Fastify application.
 */
import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import { pagePolicy } from '../page-policy.ts'

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Hopcount API</title>
  </head>
  <body>
    <div id="app"></div>
    <script src="/docs/scalar.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`

const start = `Scalar.createApiReference('#app', { url: '/openapi.json', withDefaultFonts: false, telemetry: false })\n`

export async function docsPage(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        ...pagePolicy,
        // Scalar adds inline styles and fonts to the page.
        styleSrc: ["'self'", "'unsafe-inline'"],
        fontSrc: ["'self'", 'data:'],
      },
    },
    strictTransportSecurity: false,
  })
  let script: Promise<string> | undefined
  const hidden = { config: { access: 'open' }, schema: { hide: true } } as const
  app.get('/docs', hidden, (_request, reply) => reply.type('text/html; charset=utf-8').send(page))
  app.get('/docs/start.js', hidden, (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(start),
  )
  app.get('/docs/scalar.js', hidden, async (_request, reply) => {
    script ??= loadScript()
    return reply
      .type('text/javascript; charset=utf-8')
      .header('cache-control', 'public, max-age=86400')
      .send(await script)
  })
}

async function loadScript(): Promise<string> {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  const lender = Fastify()
  await lender.register(scalar, { routePrefix: '/docs', configuration: { url: '/openapi.json' } })
  const { body } = await lender.inject('/docs/js/scalar.js')
  await lender.close()
  return body
}
