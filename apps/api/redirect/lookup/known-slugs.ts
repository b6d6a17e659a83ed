/**
 * Rejects slugs that certainly don't exist (Bloom filter), so that a flood of made-up slugs costs Redis and PostgreSQL
 * no lookups.
 *
 * The filter contains every existing slug. It is filled from the database when the channel of link changes starts to
 * listen: earlier commits are read, later ones are announced. Until it is complete, and as soon as the channel is lost,
 * no slug is rejected. A slug that the filter lacks certainly doesn't exist only once every change committed before the
 * request has been received, since another process may have created the link a moment ago. So the channel catches up
 * first, once for all waiting requests (group commit).
 *
 * Links that are inserted by hand are not announced. For their sake `uncheckedPerSecond` slugs per second are looked up
 * regardless of the filter; when that finds a link that was not announced, all slugs are read again.
 */
import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { errorText } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import type { LinkChanges } from '../../links/link-changes.ts'
import { slugsAfter } from '../../links/link-queries.ts'
import type { SlugFilter } from './slug-filter.ts'
import { createSlugFilter } from './slug-filter.ts'

export interface KnownSlugs {
  /** True: no link has this slug. False: a link may have it. */
  isAbsent(slug: string): Promise<boolean>
  /** The slug exists from now on. */
  add(slug: string): void
  /** A lookup found a link with this slug, so the filter should contain it. */
  found(slug: string): void
  /** Reads all slugs: changes are received from now on. */
  read(): void
  /** Drops the filter: changes may be missed. */
  discard(): void
}

/** Normal traffic has few unknown slugs; only a flood of them is rejected. */
const uncheckedPerSecond = 100
/** A page takes 1 ms in this process, and 3 ms in PostgreSQL. */
const slugsPerPage = 5_000
const readAgainAfterMs = 1_000

export function createKnownSlugs(options: {
  pool: Pool
  log: Log
  catchUp: LinkChanges['catchUp']
}): KnownSlugs {
  const { pool, log, catchUp } = options
  /** Undefined: changes may be missed. */
  let filter: SlugFilter | undefined
  let isComplete = false
  let second = 0
  let unchecked = 0

  const checks = createGroupCommit<string, boolean>({
    async commit(slugs) {
      await catchUp()
      return slugs.map(lacks)
    },
  })

  const lacks = (slug: string) => isComplete && filter?.lacks(slug) === true

  async function isAbsent(slug: string): Promise<boolean> {
    if (!lacks(slug) || skipsCheck()) return false
    return checks.add(slug).catch(() => false)
  }

  function skipsCheck(): boolean {
    const now = Math.trunc(performance.now() / 1_000)
    if (now !== second) unchecked = 0
    second = now
    return unchecked++ < uncheckedPerSecond
  }

  function read(): void {
    const reading = createSlugFilter()
    filter = reading
    isComplete = false
    void readInto(reading)
  }

  async function readInto(reading: SlugFilter): Promise<void> {
    try {
      for (let last: string | undefined = ''; last !== undefined && filter === reading; ) {
        const slugs = await slugsAfter(pool, last, slugsPerPage)
        for (const slug of slugs) reading.add(slug)
        last = slugs.at(-1)
      }
      if (filter === reading) isComplete = true
    } catch (error) {
      log.debug({ reason: errorText(error) }, 'reading all slugs again')
      setTimeout(() => filter === reading && read(), readAgainAfterMs).unref()
    }
  }

  async function found(slug: string): Promise<void> {
    if (!lacks(slug)) return
    await catchUp()
    if (!lacks(slug)) return
    log.warn('links were created without POST /shorten; reading all slugs again')
    read()
  }

  return {
    isAbsent,
    add: slug => filter?.add(slug),
    found: slug => void found(slug).catch(() => {}),
    read,
    discard() {
      filter = undefined
      isComplete = false
    },
  }
}
