/**
 * The most connections that the process accepts, from its limit of file descriptors: the rest is for the spool, the
 * databases and Redis. A connection beyond it is closed at once. Without this limit, idle connections would take all
 * descriptors, and redirects on open connections would be refused, because the spool could not open its next segment.
 */
import { report } from 'node:process'
import type { Log } from '@hopcount/shared/log.ts'
import { createMinuteLog } from '@hopcount/shared/log.ts'
import type { FastifyInstance } from 'fastify'

/** An idle API has 28 descriptors open, and some 70 when all its pools are full (measured). */
const reservedDescriptors = 100
/** Below it a burst of visitors, or the dashboards of a team, may be refused. */
const comfortable = 1_000

export function limitConnections({ server }: FastifyInstance, log: Log): void {
  const descriptors = descriptorLimit()
  if (descriptors === undefined) return
  server.maxConnections = maxConnections(descriptors)
  // In a cluster Node would hand the connection to the next process, and so on in circles while all are full.
  Object.assign(server, { dropMaxConnection: true })
  const details = { maxConnections: server.maxConnections, descriptors }
  if (server.maxConnections < comfortable)
    log.warn(
      details,
      'few connections are possible: raise the limit of file descriptors (ulimit -n, LimitNOFILE)',
    )
  const warn = createMinuteLog(log, 'connections were closed at once: too many are open')
  server.on('drop', () => warn(1, details))
}

export function maxConnections(descriptors: number): number {
  return Math.max(descriptors - reservedDescriptors, Math.floor(descriptors / 2))
}

/** The soft limit, which Node.js raises to the hard limit when it starts. Undefined: unlimited, or unknown. */
function descriptorLimit(): number | undefined {
  // Otherwise the names of all peers would be looked up.
  Object.assign(report, { excludeNetwork: true })
  const found = report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } }
  const soft = found.userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : undefined
}
