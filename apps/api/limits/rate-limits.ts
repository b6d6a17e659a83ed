/**
 * Rate limits on writes and statistics, per key, or without one per client address (IPv6: per /64). Redirects have none.
 *
 * Requests are counted in Redis, so that all API processes share a limit; while Redis is down or slow each process counts
 * for itself. With open access, clients on this machine have no limit: the operator, or a load generator. A proxy that
 * TRUST_PROXY does not list is limited like a single client, wherever it runs.
 */
import rateLimit from '@fastify/rate-limit'
import { clientNetwork } from '@hopcount/shared/client-address.ts'
import type { Log } from '@hopcount/shared/log.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { ClientAddresses } from '../client-addresses.ts'
import { isLocalClient } from '../client-addresses.ts'
import { Problem } from '../errors/problem.ts'
import { openRedisWithDeadline } from '../redis-with-deadline.ts'

type Counted = { current: number; ttl: number }
type Callback = (error: Error | null, counted?: Counted) => void

const windowMs = 60_000
const maxLocalClients = 10_000

/**
 * The `config` of a route with this many requests per minute; 0: no limit, except for keys that have one. The routes of a
 * group share a limit.
 */
export function perMinute(max: number, group: string) {
  return { perMinute: { max, group } }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    perMinute?: { max: number; group: string }
  }
}

export interface RateLimitOptions {
  redisUrl: string | undefined
  clients: ClientAddresses
  /** The key that a request has, with its own limit, which is for all groups of routes together. */
  keyOf(request: FastifyRequest): { id: number; requestsPerMinute: number | undefined } | undefined
  /** Whether clients on this machine are exempt. */
  exemptLocal: boolean
  log: Log
}

/** Call before routes are added. Returns a function that closes the connection to Redis. */
export async function limitRates(
  app: FastifyInstance,
  { redisUrl, clients, keyOf, exemptLocal, log }: RateLimitOptions,
): Promise<() => void> {
  const shared = redisUrl === undefined ? undefined : openSharedCounters(redisUrl, log)
  const local = createLocalCounters()

  const limitOf = (request: FastifyRequest) =>
    keyOf(request)?.requestsPerMinute ?? request.routeOptions.config.perMinute?.max ?? 0

  function clientOf(request: FastifyRequest): string {
    const key = keyOf(request)
    const group = request.routeOptions.config.perMinute?.group ?? ''
    if (key === undefined)
      return clientNetwork(clients.of(request.raw) ?? request.socket.remoteAddress ?? '') + group
    return `key ${key.id} ${key.requestsPerMinute === undefined ? group : ''}`
  }

  class Store {
    incr(client: string, callback: Callback): void {
      if (shared === undefined) callback(null, local(client))
      else {
        shared.count(client).then(
          counted => callback(null, counted),
          () => callback(null, local(client)),
        )
      }
    }
    child(): Store {
      return this
    }
  }

  await app.register(rateLimit, {
    global: false,
    timeWindow: windowMs,
    enableDraftSpec: true,
    store: Store,
    max: limitOf,
    keyGenerator: clientOf,
    errorResponseBuilder: request => {
      const sender = keyOf(request) === undefined ? 'from this address' : 'with this key'
      return new Problem(429, `Too many requests ${sender}. Please slow down.`)
    },
  })
  const limit = app.rateLimit()
  app.addHook('onRoute', route => {
    if (route.config?.perMinute !== undefined)
      route.onRequest = [...[route.onRequest ?? []].flat(), limitUnlessExempt]
  })
  return () => shared?.close()

  /** The plugin's own list of exempt clients would cost each of their requests four promises. */
  function limitUnlessExempt(
    this: FastifyInstance,
    request: FastifyRequest,
    reply: FastifyReply,
    done: (error?: Error) => void,
  ): void {
    if (limitOf(request) === 0 || (exemptLocal && isLocalClient(request))) done()
    else limit.call(this, request, reply).then(() => done(), done)
  }
}

function openSharedCounters(redisUrl: string, log: Log) {
  const { redis } = openRedisWithDeadline(redisUrl, 'rate limits in Redis', log)

  async function count(client: string): Promise<Counted> {
    const key = `{hopcount}:limit:${client}`
    const replies = await redis.multi().set(key, 0, 'PX', windowMs, 'NX').incr(key).pttl(key).exec()
    const [current, ttl] = [replies?.[1]?.[1], replies?.[2]?.[1]]
    if (typeof current !== 'number' || typeof ttl !== 'number') throw new Error('the request was not counted')
    return { current, ttl }
  }

  return { count, close: () => redis.disconnect() }
}

function createLocalCounters(): (client: string) => Counted {
  const clients = new LRUCache<string, { current: number; resetsAt: number }>({ max: maxLocalClients })
  return client => {
    const now = performance.now()
    let counter = clients.get(client)
    if (counter === undefined || counter.resetsAt <= now) {
      counter = { current: 0, resetsAt: now + windowMs }
      clients.set(client, counter)
    }
    counter.current++
    return { current: counter.current, ttl: Math.ceil(counter.resetsAt - now) }
  }
}
