/**
 * Counts requests for slugs that are no link, per day (UTC), so that a misprinted link is noticed.
 *
 * The redirect calls `count` where it answers 404: one step in a Map. Every 5 s, and on close, what came is added to the
 * table in one transaction. This is not exactly once, unlike visits: a process that is killed loses the last
 * seconds, and where the reply to a commit is lost, its counts are added again; a request belongs to the day
 * in which it is written out. While the database is away one such portion waits, and the next one is gathered: 2,000
 * slugs at most, whatever is asked for.
 */
import { dayNumber, dayText } from '@hopcount/shared/days.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import type { SlugCounts } from './frequent-slugs.ts'
import { createFrequentSlugs } from './frequent-slugs.ts'
import { addOrphanVisits } from './orphan-queries.ts'

export interface OrphanCounter {
  /** A request for this slug was answered 404. The slug fits the slug pattern. */
  count(slug: string): void
  /** Writes out what there is. */
  close(): Promise<void>
}

const writeEveryMs = 5_000
const maxSlugs = 1_000

export function createOrphanCounter(options: { pool: Pool; log: Log }): OrphanCounter {
  const slugs = createFrequentSlugs(maxSlugs)
  const health = createHealthLog(options.log, 'counting requests for unknown slugs')
  let portion: { day: string; counts: SlugCounts } | undefined
  let writing: Promise<void> | undefined
  const timer = setInterval(() => void write(), writeEveryMs).unref()

  /** One at a time: who calls meanwhile gets the one that is under way. Never rejects. */
  function write(): Promise<void> {
    writing ??= writePortion().finally(() => {
      writing = undefined
    })
    return writing
  }

  async function writePortion(): Promise<void> {
    portion ??= { day: dayText(dayNumber(Date.now())), counts: slugs.take() }
    const { day, counts } = portion
    try {
      if (counts.requests.size > 0 || counts.others > 0) await addOrphanVisits(options.pool, day, counts)
      portion = undefined
      health.works()
    } catch (error) {
      health.fails(error)
    }
  }

  async function close(): Promise<void> {
    clearInterval(timer)
    // What is under way, or waits since an outage; then what came after that.
    await write()
    await write()
  }

  return { count: slugs.count, close }
}
