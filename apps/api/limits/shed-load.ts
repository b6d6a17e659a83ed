import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import { Problem, sendProblem } from '../errors/problem.ts'

/** The event-loop delay, averaged over a second, from which on statistics are refused for the sake of redirects. */
const maxEventLoopDelayMs = 250

/** One bad second may be the start of the process or a pause of the machine; only lasting pressure is load. */
const lastingMs = 2_000
/** Pressure that no request has met for this long has ended. */
const forgottenAfterMs = 1_500

/** Refuses the routes of this scope (statistics) while the process is overloaded: redirects come first. */
export async function shedLoad(scope: FastifyInstance): Promise<void> {
  let since = Number.NEGATIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  await scope.register(underPressure, {
    maxEventLoopDelay: maxEventLoopDelayMs,
    pressureHandler: (_request, reply) => {
      const now = performance.now()
      if (now > last + forgottenAfterMs) since = now
      last = now
      if (now < since + lastingMs) return
      sendProblem(
        reply,
        new Problem(503, 'Too busy with redirects at the moment. Please try again.', {
          headers: { 'retry-after': '2' },
        }),
      )
    },
  })
}
