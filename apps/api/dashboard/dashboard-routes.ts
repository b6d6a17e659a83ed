import { existsSync } from 'node:fs'
import { join } from 'node:path'
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

const dist = join(import.meta.dirname, '../../dashboard/dist')

/**
 * `GET /` and the files of the dashboard, with headers that let the page run its own script and ask this server, and
 * nothing else. Register it as a plugin: the headers are for its routes alone, a redirect has none of them.
 *
 * There is a route for each file that is there at the start, so that no other path is looked up on the disk. Without
 * the files (`npm run build` makes them) there is none, and `/` is answered like any unknown address.
 */
export async function dashboardRoutes(app: FastifyInstance): Promise<void> {
  if (!existsSync(join(dist, 'index.html'))) {
    app.log.warn('the dashboard is not built: npm run build')
    return
  }
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    // Whether the host has https, and for how long it promises so, is for the proxy in front to say.
    strictTransportSecurity: false,
    // Browsers refuse these two without https, with an error in the console.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  })
  await app.register(fastifyStatic, {
    root: dist,
    wildcard: false,
    decorateReply: false,
    preCompressed: true,
    globIgnore: ['**/*.{br,gz}'],
    cacheControl: false,
    setHeaders: (reply, path) => {
      const isHashed = path.startsWith(join(dist, 'assets/'))
      reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}
