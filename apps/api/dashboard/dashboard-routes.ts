import { existsSync } from 'node:fs'
import { join } from 'node:path'
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { pagePolicy } from '../page-policy.ts'

const dist = join(import.meta.dirname, '../../dashboard/dist')

/**
 * `GET /` and the files of the dashboard, with headers that let the page run only its own script and connect only to this
 * server. Register it as a plugin, so that its routes alone have these headers, and redirects do not.
 *
 * Each file that exists at start gets a route, so no other path causes a lookup on disk. Without the files (`npm run
 * build` creates them) there are no routes, and `/` is an unknown address.
 */
export async function dashboardRoutes(app: FastifyInstance): Promise<void> {
  if (!existsSync(join(dist, 'index.html'))) {
    app.log.warn('the dashboard is not built: run npm run build')
    return
  }
  // The page's files are for everybody; what it shows needs a key. The plugin's routes have no `config` of ours.
  app.decorate('access', 'open')
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: pagePolicy },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    // Whether the host has HTTPS, and for how long it promises so, is up to the proxy in front.
    strictTransportSecurity: false,
    // Without HTTPS browsers reject these two, with an error in the console.
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
