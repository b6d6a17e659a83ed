/**
 * L2: links in Redis, shared by all API processes. It is only a cache: any lookup may miss, and none takes longer than
 * 50 ms (redis-with-deadline.ts). After `failuresToOpen` failures in a row it is not used for `openMs` (circuit breaker), so a Redis that
 * hangs delays only a few redirects.
 */

import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import type { Log } from '@hopcount/shared/log.ts'
import type { Link } from '../links/link.ts'
import { createLink } from '../links/link.ts'
import { openRedisWithDeadline } from '../redis-with-deadline.ts'

export interface LinkCache {
  /** From now on links of this epoch of the database are read and written; those of another are left to expire. */
  enter(epoch: string): void
  get(slug: string): Promise<Link | undefined>
  set(slug: string, link: Link): void
  close(): void
}

const failuresToOpen = 5
const openMs = 1_000
/** Limits the effect of a lost invalidation, and the size of a Redis without a memory limit. */
const lifetimeSeconds = 600
/** Followed by the epoch of the database (database-epoch.ts): after a failover, a cached link may never have existed. */
const keyPrefix = '{hopcount}:link:'
const nothing = Promise.resolve(undefined)

export function openLinkCache(redisUrl: string, log: Log): LinkCache {
  const { redis, health } = openRedisWithDeadline(redisUrl, 'link cache in Redis', log)
  let failures = 0
  let openUntil = 0
  let prefix = keyPrefix

  function failed(error: unknown): void {
    if (++failures < failuresToOpen) return
    failures = 0
    openUntil = performance.now() + openMs
    health.fails(error)
  }

  /** One MGET for all slugs of an event-loop turn: most of a read's cost is per command, not per key. */
  const reads = createGroupCommit<string, Link | undefined>({
    commit: readTogether,
    // No batch waits for another, since each lookup has a deadline.
    concurrentCommits: Number.POSITIVE_INFINITY,
  })

  async function readTogether(slugs: string[]): Promise<(Link | undefined)[]> {
    try {
      const texts = await redis.mget(slugs.map(slug => prefix + slug))
      failures = 0
      if (health.failing()) health.works()
      return texts.map(text => (text === null ? undefined : parseLink(text)))
    } catch (error) {
      failed(error)
      return []
    }
  }

  /** Likewise one pipeline. Not ioredis' auto-pipelining: a read would wait for the previous pipeline and miss its deadline. */
  const writes = createGroupCommit<{ slug: string; link: Link }, void>({
    commit: writeTogether,
    concurrentCommits: Number.POSITIVE_INFINITY,
  })

  async function writeTogether(entries: { slug: string; link: Link }[]): Promise<never[]> {
    const pipeline = redis.pipeline()
    for (const { slug, link } of entries) pipeline.set(prefix + slug, printLink(link), 'EX', lifetimeSeconds)
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error
    return []
  }

  function get(slug: string): Promise<Link | undefined> {
    if (redis.status !== 'ready' || performance.now() < openUntil) return nothing
    return reads.add(slug)
  }

  function set(slug: string, link: Link): void {
    if (redis.status !== 'ready' || performance.now() < openUntil) return
    writes.add({ slug, link }).catch(failed)
  }

  return {
    // A part of it tells epochs apart, and costs memory with every key.
    enter: epoch => {
      prefix = `${keyPrefix}${epoch.slice(0, 8)}:`
    },
    get,
    set,
    close: () => redis.disconnect(),
  }
}

/** `id expiresAt|- url` */
function printLink(link: Link): string {
  return `${link.id} ${link.expiresAt ?? '-'} ${link.longUrl}`
}

function parseLink(text: string): Link | undefined {
  const match = /^(\d{1,16}) (\d{1,16}|-) (https?:\/\/\S+)$/.exec(text)
  if (match === null) return undefined
  const [, id, expiresAt, longUrl] = match
  return createLink(Number(id), String(longUrl), expiresAt === '-' ? undefined : Number(expiresAt))
}
