/**
 * L2: links in Redis, shared by all API processes. It is only a cache: any lookup may miss, and none takes longer than
 * 50 ms (redis-with-deadline.ts). After `failuresToOpen` failures in a row it is not used for `openMs` (circuit breaker),
 * so a Redis that hangs delays only a few redirects.
 *
 * It never holds a link as it was before a change (change-links.ts). Before the change commits, its key is overwritten by
 * a tombstone; lookups fill only keys that do not exist, and only while their process is current (resolve-slug.ts), so one
 * that has read the former state comes too late, or overwrites nothing. Tombstones that a Redis has lost can't be missed:
 * its run id is a part of the keys' prefix, so a Redis that was started again, or a promoted replica, begins empty.
 *
 * The cache is trusted while its name is known, which changes where tombstones could not be written.
 */

import { createHash } from 'node:crypto'
import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import type { Log } from '@hopcount/shared/log.ts'
import type { Redis } from 'ioredis'
import type { CacheName } from '../../links/change-links.ts'
import type { Link } from '../../links/link.ts'
import { openRedisWithDeadline } from '../../redis-with-deadline.ts'
import { parseLink, printLink, tombstone } from './cached-link.ts'

export interface LinkCache {
  /** From now on links of the cache with this name are read and written. What another one holds expires. */
  enter(name: CacheName): void
  /** The name may have changed. */
  distrust(): void
  /** False: what `get` finds may be outdated, and nothing is written. */
  isTrusted(): boolean
  get(slug: string): Promise<Link | undefined>
  set(slug: string, link: Link): void
  /** See BlockLinks. */
  block(slugs: string[], name: CacheName): Promise<boolean>
  close(): void
}

const failuresToOpen = 5
const openMs = 1_000
/** Limits the size of a Redis without a memory limit. */
const lifetimeSeconds = 600
/** Longer than a command to fill a key may be on its way: kernels deliver for some 100 s after a connection was given up. */
const tombstoneSeconds = 120
/** How long a change waits for the first connection. */
const connectMs = 500
const nothing = Promise.resolve(undefined)

export function openLinkCache(redisUrl: string, log: Log): LinkCache {
  const { redis, health } = openRedisWithDeadline(redisUrl, 'link cache in Redis', log)
  const run = watchRun(redis)
  let failures = 0
  let openUntil = 0
  let entered: CacheName | undefined
  let trusted = false
  let prefix: string | undefined

  run.onChange(nameKeys)

  function enter(name: CacheName): void {
    entered = name
    trusted = true
    nameKeys()
  }

  function nameKeys(): void {
    const id = run.id()
    prefix = entered === undefined || id === undefined ? undefined : keyPrefix(entered, id)
  }

  function failed(error: unknown): void {
    if (++failures < failuresToOpen) return
    failures = 0
    openUntil = performance.now() + openMs
    health.fails(error)
  }

  const isUsable = () => redis.status === 'ready' && performance.now() >= openUntil

  /** One MGET for all slugs of an event-loop turn: most of a read's cost is per command, not per key. */
  const reads = createGroupCommit<string, Link | undefined>({
    commit: readTogether,
    // No batch waits for another, since each lookup has a deadline.
    concurrentCommits: Number.POSITIVE_INFINITY,
  })

  async function readTogether(slugs: string[]): Promise<(Link | undefined)[]> {
    const begins = prefix
    if (begins === undefined) return []
    try {
      const texts = await redis.mget(slugs.map(slug => begins + slug))
      failures = 0
      if (health.failing()) health.works()
      return texts.map(text => (text === null ? undefined : parseLink(text)))
    } catch (error) {
      failed(error)
      return []
    }
  }

  /** Likewise one pipeline. Not ioredis' auto-pipelining: a read would wait for the previous pipeline and miss its deadline. */
  const writes = createGroupCommit<{ key: string; link: Link }, void>({
    commit: writeTogether,
    concurrentCommits: Number.POSITIVE_INFINITY,
  })

  async function writeTogether(entries: { key: string; link: Link }[]): Promise<never[]> {
    const pipeline = redis.pipeline()
    for (const { key, link } of entries) pipeline.set(key, printLink(link), 'EX', lifetimeSeconds, 'NX')
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error
    return []
  }

  function get(slug: string): Promise<Link | undefined> {
    return prefix === undefined || !isUsable() ? nothing : reads.add(slug)
  }

  function set(slug: string, link: Link): void {
    if (prefix === undefined || !trusted || !isUsable()) return
    writes.add({ key: prefix + slug, link }).catch(failed)
  }

  async function block(slugs: string[], name: CacheName): Promise<boolean> {
    if (performance.now() < openUntil) return false
    const id = await run.known(connectMs)
    if (id === undefined) return false
    const begins = keyPrefix(name, id)
    try {
      const pipeline = redis.pipeline()
      for (const slug of slugs) pipeline.set(begins + slug, tombstone, 'EX', tombstoneSeconds)
      const replies = await pipeline.exec()
      const confirmed = replies?.filter(([error, reply]) => error === null && reply === 'OK').length
      // Otherwise the connection was made anew meanwhile, and may lead to another server.
      return confirmed === slugs.length && run.id() === id
    } catch (error) {
      failed(error)
      return false
    }
  }

  return {
    enter,
    distrust() {
      trusted = false
    },
    isTrusted: () => trusted,
    get,
    set,
    block,
    close: () => redis.disconnect(),
  }
}

/** Short, since it costs memory with every key. The release before used `{hopcount}:link:`. */
function keyPrefix({ epoch, generation }: CacheName, run: string): string {
  const name = createHash('sha256').update(`${epoch} ${generation} ${run}`).digest('base64url')
  return `{hopcount}:l2:${name.slice(0, 8)}:`
}

interface RedisRun {
  /** Names the server's current run; empty where it doesn't say; undefined while it isn't connected. */
  id(): string | undefined
  /** The id, as soon as it is known; undefined: not within this time, or the connection was lost. */
  known(withinMs: number): Promise<string | undefined>
  onChange(listener: () => void): void
}

function watchRun(redis: Redis): RedisRun {
  let id: string | undefined
  let listeners: (() => void)[] = []

  function change(next: string | undefined): void {
    id = next
    for (const listener of listeners) listener()
  }

  redis.on('ready', () => {
    redis.info('server').then(
      info => change(/^run_id:(\w+)/m.exec(info)?.[1] ?? ''),
      error => {
        // A managed Redis may not allow it.
        if (/NOPERM|unknown command/i.test(String(error))) change('')
        else redis.disconnect(true)
      },
    )
  })
  redis.on('close', () => change(undefined))

  async function known(withinMs: number): Promise<string | undefined> {
    if (id !== undefined || !['connecting', 'connect', 'ready'].includes(redis.status)) return id
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, withinMs)
      const first = () => {
        clearTimeout(timer)
        listeners = listeners.filter(listener => listener !== first)
        resolve()
      }
      listeners.push(first)
    })
    return id
  }

  return { id: () => id, known, onChange: listener => listeners.push(listener) }
}
