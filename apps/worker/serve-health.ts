/**
 * The worker's small HTTP server:
 * - `GET /healthz`: the process is alive.
 * - `GET /readyz`: 503 while something keeps visits from being counted that this worker alone can't mend; the response says
 *   what. Warnings do not change the status.
 * - `GET /metrics`: Prometheus text format.
 */
import type { Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { Registry } from '@prometheus-io/client'

export interface WorkerHealth {
  registry: Registry
  /** Sentences for an operator. Neither throws or rejects. */
  problems(): Promise<string[]>
  warnings(): Promise<string[]>
}

export async function serveHealth(
  health: WorkerHealth,
  { host, port }: { host: string; port: number },
): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/healthz') response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n')
    else if (request.url === '/readyz') void sendReadiness(response, health)
    else if (request.url === '/metrics') sendMetrics(response, health.registry)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return server
}

async function sendReadiness(response: ServerResponse, { problems, warnings }: WorkerHealth): Promise<void> {
  const found = await problems()
  const [status, type, body] =
    found.length === 0
      ? [200, 'application/json', { status: 'ready', warnings: await warnings() }]
      : [503, 'application/problem+json', { title: 'Not ready', status: 503, detail: found.join(' ') }]
  response
    .writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
    .end(`${JSON.stringify(body)}\n`)
}

function sendMetrics(response: ServerResponse, registry: Registry): void {
  registry.metrics().then(
    text => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
    () => response.writeHead(500).end(),
  )
}
