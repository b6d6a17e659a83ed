/**
 * Is a Redis fit for what it is used for? Answered by INFO, which managed services allow where they withhold CONFIG.
 *
 * Refused: cluster mode, since connections here are to one server, and a policy that evicts any key, since that loses
 * jobs. Warned of: a queue without an append-only file. Policies that evict only keys with a lifetime (`volatile-…`) leave
 * the queue alone.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Log } from './log.ts'
import { errorText } from './log.ts'

export interface CheckedRedis {
  url: string
  name: 'REDIS_URL' | 'CACHE_REDIS_URL'
}

const patienceMs = 2_000
const againAfterMs = 5_000

class UnfitRedis extends Error {}

/**
 * Throws if a Redis that can be reached is unfit. One that can't is no reason not to start: it is checked once it can, and
 * what is found then is logged.
 */
export async function checkRedis(redis: CheckedRedis, log: Log): Promise<void> {
  if (!(await isChecked(redis, log))) void checkLater(redis, log)
}

async function checkLater(redis: CheckedRedis, log: Log): Promise<void> {
  try {
    do await sleep(againAfterMs, undefined, { ref: false })
    while (!(await isChecked(redis, log)))
  } catch (error) {
    log.error({ reason: errorText(error) }, 'an unfit Redis')
  }
}

/** False if it could not be asked. Throws UnfitRedis. */
async function isChecked({ url, name }: CheckedRedis, log: Log): Promise<boolean> {
  const info = await readInfo(url)
  if (info === undefined) return false
  if (info.get('redis_mode') === 'cluster' || info.get('cluster_enabled') === '1')
    throw new UnfitRedis(`${name} is a Redis in cluster mode, which is not supported: use a single server`)
  if (name === 'CACHE_REDIS_URL') return true
  const policy = info.get('maxmemory_policy') ?? ''
  if (policy.startsWith('allkeys-'))
    throw new UnfitRedis(
      `${name} evicts keys of the queue (maxmemory-policy ${policy}): set noeviction, and CACHE_REDIS_URL to another Redis for the cache`,
    )
  if (info.get('aof_enabled') === '0')
    log.warn(`${name} keeps no append-only file: after its restart, the queue is filled from the spool again`)
  return true
}

async function readInfo(url: string): Promise<Map<string, string> | undefined> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: patienceMs,
    commandTimeout: patienceMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  redis.on('error', () => {})
  try {
    await redis.connect()
    const text = await redis.info()
    return new Map(
      [...text.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, field = '', value = '']) => [field, value]),
    )
  } catch {
    return undefined
  } finally {
    redis.disconnect()
  }
}
