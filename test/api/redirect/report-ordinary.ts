/** For `node --import` in an API: writes a line for each request that a route of Fastify handles. */
import { tracingChannel } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

tracingChannel('fastify.request.handler').subscribe({
  start(message) {
    const { headers, url } = (message as { request: { raw: IncomingMessage } }).request.raw
    process.stdout.write(`ordinary ${headers['x-case']} ${url}\n`)
  },
  end() {},
  asyncStart() {},
  asyncEnd() {},
  error() {},
})
