/**
 * L2: links in Redis, shared by all API processes. A cache only: every answer may be "not here", and none takes longer
 * than `deadlineMs`. After `failuresToOpen` failures in a row it is not asked for `openMs` (circuit breaker), so a Redis that
 * hangs costs a redirect its deadline a few times, not each time.
 */

import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import { Redis } from 'ioredis'
import type { Link } from '../links/link.ts'

export interface LinkCache {
  get(slug: string): Promise<Link | undefined>
  set(slug: string, link: Link): void
  close(): void
}

const deadlineMs = 50
const failuresToOpen = 5
const openMs = 1_000
/** Bounds what a lost invalidation can do, and what a Redis without a memory limit holds. */
const lifetimeSeconds = 600
const keyPrefix = '{hopcount}:link:'
const nothing = Promise.resolve(undefined)

export function openLinkCache(redisUrl: string, log: Log): LinkCache {
  const redis = new Redis(redisUrl, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: deadlineMs,
    retryStrategy: attempt => Math.min(50 * 2 ** attempt, 1_000),
  })
  const health = createHealthLog(log, 'link cache in Redis')
  let failures = 0
  let closedUntil = 0
  redis.on('error', error => health.fails(error))
  redis.on('ready', () => health.works())

  function failed(error: unknown): void {
    if (++failures < failuresToOpen) return
    failures = 0
    closedUntil = Date.now() + openMs
    health.fails(error)
  }

  /** One MGET for all slugs of an event-loop turn: most of a read's cost is the command, not the key. */
  const reads = createGroupCommit<string, Link | undefined>({
    commit: readTogether,
    // None waits for another: each has its deadline.
    concurrentCommits: Number.POSITIVE_INFINITY,
  })

  async function readTogether(slugs: string[]): Promise<(Link | undefined)[]> {
    try {
      const texts = await redis.mget(slugs.map(slug => keyPrefix + slug))
      failures = 0
      if (health.failing()) health.works()
      return texts.map(text => (text === null ? undefined : parseLink(text)))
    } catch (error) {
      failed(error)
      return []
    }
  }

  /** One pipeline likewise. Never ioredis' own pipelining: a read would wait for the pipeline before it, and then have its deadline. */
  const writes = createGroupCommit<{ slug: string; link: Link }, void>({
    commit: writeTogether,
    concurrentCommits: Number.POSITIVE_INFINITY,
  })

  async function writeTogether(entries: { slug: string; link: Link }[]): Promise<never[]> {
    const pipeline = redis.pipeline()
    for (const { slug, link } of entries)
      pipeline.set(keyPrefix + slug, printLink(link), 'EX', lifetimeSeconds)
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error
    return []
  }

  function get(slug: string): Promise<Link | undefined> {
    if (redis.status !== 'ready' || Date.now() < closedUntil) return nothing
    return reads.add(slug)
  }

  function set(slug: string, link: Link): void {
    if (redis.status !== 'ready' || Date.now() < closedUntil) return
    writes.add({ slug, link }).catch(failed)
  }

  return { get, set, close: () => redis.disconnect() }
}

/** `id expiresAt|- url` */
function printLink(link: Link): string {
  return `${link.id} ${link.expiresAt ?? '-'} ${link.longUrl}`
}

function parseLink(text: string): Link | undefined {
  const match = /^(\d{1,16}) (\d{1,16}|-) (https?:\/\/\S+)$/.exec(text)
  if (match === null) return undefined
  const [, id, expiresAt, longUrl] = match
  return {
    id: Number(id),
    longUrl: String(longUrl),
    expiresAt: expiresAt === '-' ? undefined : Number(expiresAt),
  }
}
