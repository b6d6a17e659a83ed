/**
 * Counts requests for slugs that aren't links per UTC day, so that a misprinted link is noticed.
 *
 * The redirect calls `count` when it responds with 404: one step in a Map. Every 5 s, and on close, the counts are added
 * to the table in one transaction. Unlike visits they are not counted exactly once: a killed process loses its last
 * seconds, and counts are added again when the reply to a commit is lost. A request belongs to the day on which it is
 * written. While the database is down one batch waits and the next one is collected: 2,000 slugs at most, whatever is
 * requested.
 */
import { dayNumber, dayText } from '@hopcount/shared/days.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import type { SlugCounts } from './frequent-slugs.ts'
import { createFrequentSlugs } from './frequent-slugs.ts'
import { addOrphanVisits } from './orphan-queries.ts'

export interface OrphanCounter {
  /** A request for this slug got a 404. The slug matches the slug pattern. */
  count(slug: string): void
  /** Writes the remaining counts. */
  close(): Promise<void>
}

const writeEveryMs = 5_000
const maxSlugs = 1_000

export function createOrphanCounter(options: { pool: Pool; log: Log }): OrphanCounter {
  const slugs = createFrequentSlugs(maxSlugs)
  const health = createHealthLog(options.log, 'counting requests for unknown slugs')
  let batch: { day: string; counts: SlugCounts } | undefined
  let writing: Promise<void> | undefined
  const timer = setInterval(() => void write(), writeEveryMs).unref()

  /** One at a time: concurrent calls share the write in progress. Never rejects. */
  function write(): Promise<void> {
    writing ??= writeBatch().finally(() => {
      writing = undefined
    })
    return writing
  }

  async function writeBatch(): Promise<void> {
    batch ??= { day: dayText(dayNumber(Date.now())), counts: slugs.take() }
    const { day, counts } = batch
    try {
      if (counts.requests.size > 0 || counts.others > 0) await addOrphanVisits(options.pool, day, counts)
      batch = undefined
      health.works()
    } catch (error) {
      health.fails(error)
    }
  }

  async function close(): Promise<void> {
    clearInterval(timer)
    // First the batch that is being written, or waiting since an outage; then what was counted after it.
    await write()
    await write()
  }

  return { count: slugs.count, close }
}
