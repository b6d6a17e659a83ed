import type { FastifyInstance } from 'fastify'
import type { Pool } from 'pg'
import { Type } from 'typebox'
import { Problem, problemResponses } from '../errors/problem.ts'
import type { ApiMetrics } from './api-metrics.ts'

/**
 * - `GET /healthz`: the process is alive.
 * - `GET /readyz`: the process should get traffic, unless it is stopping. A database that is down is reported but does
 *   not change the status: cached links still redirect, and a load balancer that removed every process during an outage
 *   of PostgreSQL would stop them.
 * - `GET /metrics`: Prometheus text format, unless `metrics` is undefined: then it has a port of its own.
 */
export function healthRoutes(
  app: FastifyInstance,
  options: {
    pool: Pool
    metrics: ApiMetrics | undefined
    isStopping: () => boolean
    warnings: () => Promise<string[]>
  },
): void {
  const { pool, metrics, isStopping, warnings } = options
  // Probes send whatever Host their operator likes.
  const probe = { access: 'open', anyHost: true } as const

  app.get(
    '/healthz',
    {
      exposeHeadRoute: true,
      config: probe,
      schema: {
        operationId: 'healthz',
        summary: 'Liveness of the process',
        response: {
          200: { ...Type.Object({ status: Type.Literal('ok') }), description: 'the process is alive' },
          ...problemResponses(),
        },
      },
    },
    () => ({ status: 'ok' }),
  )

  app.get(
    '/readyz',
    {
      exposeHeadRoute: true,
      config: probe,
      schema: {
        operationId: 'readyz',
        summary: 'Whether the process should get traffic',
        response: {
          200: {
            ...Type.Object({
              status: Type.Literal('ready'),
              database: Type.Union([Type.Literal('up'), Type.Literal('down')]),
              warnings: Type.Array(Type.String(), {
                description:
                  'what makes numbers wrong or incomplete until an operator does something about it',
              }),
            }),
            description: 'ready, even while the database is down: cached links still redirect',
          },
          ...problemResponses({ 503: 'the process is stopping' }),
        },
      },
    },
    async (_request, reply) => {
      if (isStopping()) throw new Problem(503, 'The process is stopping.')
      const [database, found] = await Promise.all([
        pool.query('SELECT 1').then(
          () => 'up' as const,
          () => 'down' as const,
        ),
        warnings(),
      ])
      return reply
        .header('cache-control', 'no-store')
        .send({ status: 'ready' as const, database, warnings: found })
    },
  )

  if (metrics === undefined) return
  app.get(
    '/metrics',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'metrics',
        summary: 'Prometheus metrics',
        response: {
          200: { description: 'metrics', content: { 'text/plain': { schema: Type.String() } } },
          ...problemResponses(),
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  )
}
