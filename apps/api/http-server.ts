import cluster from 'node:cluster'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Configuration } from '@hopcount/shared/configuration/configuration.ts'
import type { Log } from '@hopcount/shared/log.ts'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import Fastify, { LogController } from 'fastify'
import type { ClientAddresses } from './client-addresses.ts'
import { frameworkErrorHandler } from './errors/error-handlers.ts'
import { afterResponses, refuseMalformed } from './errors/socket-responses.ts'
import type { VisitorPages } from './errors/visitor-pages.ts'
import { readRawRequest, serveRawRequest } from './raw-path.ts'
import { replaceCutEncoding } from './redirect/cut-encoding.ts'

/**
 * How long a stopping process still accepts and serves requests, each with `Connection: close`. A process that is
 * replaced in a rolling restart has time, and the longer it waits, the fewer clients reuse a connection just as it closes.
 */
const drainMs = cluster.isWorker ? 2_000 : 500

export function createHttpServer(
  configuration: Configuration,
  clients: ClientAddresses,
  pages: VisitorPages,
  log: Log,
): FastifyInstance {
  const malformed = new WeakSet<Socket>()
  const app = Fastify({
    // One log for all requests, set here and below instead of as `loggerInstance`: then Fastify creates no logger per
    // request and does not wait for the end of a response to log it. Measured alternately, three runs each: a redirect
    // takes 2, 10 and 11 % less CPU time.
    childLoggerFactory: () => log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: configuration.TRUST_PROXY === undefined ? false : clients.trusts,
    rewriteUrl: ({ url = '/' }) => replaceCutEncoding(originForm(url)),
    bodyLimit: 8 * 1024,
    routerOptions: { maxParamLength: 512 },
    exposeHeadRoutes: false,
    // A stopping process still serves requests on open connections, so a rolling restart refuses nobody.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    requestTimeout: 10_000,
    http: {
      headersTimeout: 10_000,
      maxHeaderSize: 16 * 1024,
      connectionsCheckingInterval: 1_000,
      // host-header.ts does, and responds with a problem document.
      requireHostHeader: false,
    },
    frameworkErrors: frameworkErrorHandler(pages),
    clientErrorHandler: (error, socket) => {
      // The parser reports the same error again for each further packet.
      if (malformed.has(socket)) return
      malformed.add(socket)
      afterResponses(socket, () => {
        const packet: unknown = error.rawPacket
        const request = socket.writable && Buffer.isBuffer(packet) ? readRawRequest(packet) : undefined
        if (request === undefined) return refuseMalformed(error, socket)
        serveRawRequest(app, request, socket).catch(() => socket.destroy())
      })
    },
  })
  app.log = log as FastifyBaseLogger
  // A client that ends its side right after its requests still gets their responses (RFC 9293, section 3.6): they are
  // counted. Node would end the connection at once.
  Object.assign(app.server, { httpAllowHalfOpen: true })
  return app
}

/** A target in absolute form (RFC 9112, section 3.2.2) without its origin: all that reads URLs expects a path. */
function originForm(url: string): string {
  return url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*\/?/i, '/')
}

/**
 * Gives each request to this listener instead of Fastify, which it passes on what it does not answer. Not by Fastify's
 * `serverFactory`: with it, `HOST=localhost` is one address instead of two, and this function would repeat Fastify's
 * settings of the server.
 */
export function listenBefore({ server }: FastifyInstance, listener: RequestListener): void {
  server.removeAllListeners('request').on('request', listener)
}

/**
 * Closing a connection just as its client sends the next request would lose that request. So each connection is ended by
 * a response with `Connection: close` (which Fastify sends from now on), and only connections that stay idle are closed.
 */
export async function drainConnections(app: FastifyInstance): Promise<void> {
  const deadline = performance.now() + drainMs
  while (performance.now() < deadline && (await openConnections(app)) > 0) await sleep(20)
}

function openConnections(app: FastifyInstance): Promise<number> {
  return new Promise(resolve => app.server.getConnections((_error, count) => resolve(count ?? 0)))
}
