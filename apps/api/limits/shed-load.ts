/**
 * Refuses the routes of this scope (statistics) while the process is overloaded: redirects come first.
 *
 * Why not @fastify/under-pressure 9.2: with each measurement it calls process.memoryUsage(), which opens a file, and throws
 * out of a timer when no file descriptor is left. That ended the process.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors/problem.ts'

/** The event-loop delay, averaged over a second, from which on requests are refused. */
const maxEventLoopDelayMs = 250
const measureEveryMs = 1_000
const resolutionMs = 10

/** One bad second may be the start of the process or a pause of the machine; only lasting pressure is load. */
const lastingMs = 2_000
/** Pressure that no request has met for this long has ended. */
const forgottenAfterMs = 1_500

export async function shedLoad(scope: FastifyInstance): Promise<void> {
  const delay = measureEventLoopDelay()
  scope.addHook('onClose', async () => delay.stop())
  let since = Number.NEGATIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  scope.addHook('onRequest', async () => {
    if (delay.meanMs() <= maxEventLoopDelayMs) return
    const now = performance.now()
    if (now > last + forgottenAfterMs) since = now
    last = now
    if (now < since + lastingMs) return
    throw new Problem(503, 'Too busy with redirects at the moment. Please try again.', {
      headers: { 'retry-after': '2' },
    })
  })
}

function measureEventLoopDelay(): { meanMs: () => number; stop: () => void } {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  let meanMs = 0
  const timer = setInterval(() => {
    // Without a sample the event loop was blocked all the time.
    meanMs = Number.isNaN(histogram.mean) ? Number.POSITIVE_INFINITY : histogram.mean / 1e6 - resolutionMs
    histogram.reset()
  }, measureEveryMs).unref()
  return {
    meanMs: () => meanMs,
    stop() {
      clearInterval(timer)
      histogram.disable()
    },
  }
}
