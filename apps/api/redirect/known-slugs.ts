/**
 * Knows of most slugs that do not exist that they don't, so that a stream of made-up ones costs neither Redis nor
 * PostgreSQL a lookup each.
 *
 * All existing slugs are in a filter. It is read from the database when the channel of link changes begins to listen:
 * what was committed before is read, what is committed later is heard. Until it is whole, and from the moment the
 * channel is lost, nobody is told anything. And a slug that the filter lacks does not exist only when all that was
 * committed before the question has been heard: another process may have answered the POST a moment ago. So the channel
 * has to catch up first, once for all questions that wait (group commit).
 *
 * Links that somebody writes into the table by hand are not announced. For their sake `sparedPerSecond` slugs a second
 * are looked up all the same; when a link turns up that was not announced, all slugs are read again.
 */
import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { errorText } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import type { LinkChanges } from '../links/link-changes.ts'
import { slugsAfter } from '../links/link-queries.ts'
import type { SlugFilter } from './slug-filter.ts'
import { createSlugFilter } from './slug-filter.ts'

export interface KnownSlugs {
  /** True: no link has this slug. False: perhaps one has. */
  isAbsent(slug: string): Promise<boolean>
  /** The slug exists from now on. */
  add(slug: string): void
  /** A link with this slug was looked up: one that should have been known. */
  found(slug: string): void
  /** Changes are heard from now on: reads all slugs. */
  read(): void
  /** Changes may go unheard. */
  discard(): void
}

/** Ordinary traffic has few slugs that nobody knows; only a flood of them is turned away. */
const sparedPerSecond = 100
/** A page takes this process 1 ms, and PostgreSQL 3. */
const slugsPerPage = 5_000
const readAgainAfterMs = 1_000

export function createKnownSlugs(options: {
  pool: Pool
  log: Log
  catchUp: LinkChanges['catchUp']
}): KnownSlugs {
  const { pool, log, catchUp } = options
  /** Undefined: changes may go unheard. */
  let filter: SlugFilter | undefined
  let whole = false
  let second = 0
  let spared = 0

  const questions = createGroupCommit<string, boolean>({
    async commit(slugs) {
      await catchUp()
      return slugs.map(lacks)
    },
  })

  const lacks = (slug: string) => whole && filter?.lacks(slug) === true

  async function isAbsent(slug: string): Promise<boolean> {
    if (!lacks(slug) || spare()) return false
    return questions.add(slug).catch(() => false)
  }

  function spare(): boolean {
    const now = Math.trunc(Date.now() / 1_000)
    if (now !== second) spared = 0
    second = now
    return spared++ < sparedPerSecond
  }

  function read(): void {
    const reading = createSlugFilter()
    filter = reading
    whole = false
    void readInto(reading)
  }

  async function readInto(reading: SlugFilter): Promise<void> {
    try {
      for (let last: string | undefined = ''; last !== undefined && filter === reading; ) {
        const slugs = await slugsAfter(pool, last, slugsPerPage)
        for (const slug of slugs) reading.add(slug)
        last = slugs.at(-1)
      }
      if (filter === reading) whole = true
    } catch (error) {
      log.debug({ reason: errorText(error) }, 'reading all slugs again')
      setTimeout(() => filter === reading && read(), readAgainAfterMs).unref()
    }
  }

  async function found(slug: string): Promise<void> {
    if (!lacks(slug)) return
    await catchUp()
    if (!lacks(slug)) return
    log.warn('links were made past POST /shorten; reading all slugs again')
    read()
  }

  return {
    isAbsent,
    add: slug => filter?.add(slug),
    found: slug => void found(slug).catch(() => {}),
    read,
    discard() {
      filter = undefined
      whole = false
    },
  }
}
