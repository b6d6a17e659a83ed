/**
 * `METRICS_PORT`: the API's `/metrics` on a port of its own, so that scraping needs no key, and whoever reaches PORT does
 * not reach it. With WEB_CONCURRENCY all processes share the port, and each response is about all of them.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Log } from '@hopcount/shared/log.ts'
import { errorText } from '@hopcount/shared/log.ts'
import type { ApiMetrics } from './api-metrics.ts'

const closeWithinMs = 500

/** Rejects if the port can't be opened. Returns the function that closes it. */
export async function serveMetrics(
  metrics: ApiMetrics,
  { host, port, log }: { host: string; port: number; log: Log },
): Promise<() => Promise<void>> {
  // See errors/http-names.ts.
  const { createServer } = process.getBuiltinModule('node:http')
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') response.writeHead(404).end()
    else if (request.method !== 'GET' && request.method !== 'HEAD')
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
    else {
      metrics.text().then(
        text => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
        error => {
          log.error({ reason: errorText(error) }, 'metrics could not be collected')
          response.writeHead(503, { 'retry-after': '5' }).end()
        },
      )
    }
  })
  server.listen(port, host)
  await once(server, 'listening')
  const { port: metricsPort } = server.address() as AddressInfo
  log.info({ metricsPort }, 'serving metrics')
  return async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), closeWithinMs).unref()
    await closed
  }
}
