import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import { Problem, sendProblem } from '../errors/problem.ts'

/** A redirect waits for the event loop as long as this, on average of a second, before statistics are given up for it. */
const maxEventLoopDelayMs = 250

/** One bad second may be the start of a process, or a pause of the machine: only what lasts is a load of redirects. */
const lastingMs = 2_000
/** Pressure that nobody met for longer than this has ended meanwhile. */
const forgottenAfterMs = 1_500

/** Gives up the routes of this scope (statistics) while the process is overloaded: redirects come first. */
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
