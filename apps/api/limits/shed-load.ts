import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import { Problem, sendProblem } from '../errors/problem.ts'

/** A redirect waits for the event loop as long as this, on average, before statistics are given up for it. */
const maxEventLoopDelayMs = 250

/** What keeps a process busy while it starts is no load of redirects: a delay is the mean of a second, and this is two. */
const startingMs = 2_000

/** Gives up the routes of this scope (statistics) while the process is overloaded: redirects come first. */
export async function shedLoad(scope: FastifyInstance): Promise<void> {
  let listeningAt = Number.POSITIVE_INFINITY
  scope.addHook('onListen', async () => {
    listeningAt = performance.now()
  })
  await scope.register(underPressure, {
    maxEventLoopDelay: maxEventLoopDelayMs,
    pressureHandler: (_request, reply) => {
      if (performance.now() < listeningAt + startingMs) return
      sendProblem(
        reply,
        new Problem(503, 'Too busy with redirects at the moment. Please try again.', {
          headers: { 'retry-after': '2' },
        }),
      )
    },
  })
}
