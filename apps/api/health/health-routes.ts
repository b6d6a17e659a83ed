import type { FastifyInstance } from 'fastify'
import type { Pool } from 'pg'
import { Type } from 'typebox'
import { Problem, problemResponses } from '../errors/problem.ts'
import type { ApiMetrics } from './api-metrics.ts'

/**
 * `GET /healthz`: the process answers. `GET /readyz`: it should get traffic; not while it is stopping. What is down
 * beside it is named but changes nothing: cached links go on redirecting, and a load balancer that took every process
 * out because PostgreSQL is away would stop them. `GET /metrics`: Prometheus text.
 */
export function healthRoutes(
  app: FastifyInstance,
  options: { pool: Pool; metrics: ApiMetrics; isStopping: () => boolean },
): void {
  const { pool, metrics, isStopping } = options

  app.get(
    '/healthz',
    {
      exposeHeadRoute: true,
      schema: {
        operationId: 'healthz',
        summary: 'Is the process alive',
        response: {
          200: { ...Type.Object({ status: Type.Literal('ok') }), description: 'it answers' },
          ...problemResponses(),
        },
      },
    },
    () => ({
      status: 'ok',
    }),
  )

  app.get(
    '/readyz',
    {
      exposeHeadRoute: true,
      schema: {
        operationId: 'readyz',
        summary: 'Should the process get traffic',
        response: {
          200: {
            ...Type.Object({
              status: Type.Literal('ready'),
              database: Type.Union([Type.Literal('up'), Type.Literal('down')]),
            }),
            description: 'yes, even while the database is down: cached links go on redirecting',
          },
          ...problemResponses({ 503: 'no, it is stopping' }),
        },
      },
    },
    async (_request, reply) => {
      if (isStopping()) throw new Problem(503, 'The process is stopping.')
      const database = await pool.query('SELECT 1').then(
        () => 'up' as const,
        () => 'down' as const,
      )
      return reply.header('cache-control', 'no-store').send({ status: 'ready' as const, database })
    },
  )

  app.get(
    '/metrics',
    {
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
