import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import { Redis } from 'ioredis'

const deadlineMs = 50
/** A connection that is silent for this long while a response is due may have died without a sign, and is made anew. */
const silenceMs = 2_000

/**
 * A connection to a Redis that the process can do without: a command fails if Redis is down or takes longer than 50 ms,
 * and is not repeated. `part` names the connection in the log.
 */
export function openRedisWithDeadline(
  redisUrl: string,
  part: string,
  log: Log,
): { redis: Redis; health: ReturnType<typeof createHealthLog> } {
  const redis = new Redis(redisUrl, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: deadlineMs,
    socketTimeout: silenceMs,
    retryStrategy: attempt => Math.min(50 * 2 ** attempt, 1_000),
  })
  const health = createHealthLog(log, part)
  redis.on('error', error => health.fails(error))
  redis.on('ready', () => health.works())
  return { redis, health }
}
