/**
 * Counts that are written in batches, for requests that are no visits: every few seconds, and on close, what was counted
 * is added to a table.
 *
 * Unlike visits these are not counted exactly once: a killed process loses its last seconds, and a batch is added again
 * when the reply to its commit is lost. A request belongs to the day on which it is written. While the database is down
 * one batch waits and the next one is collected, each as large as the counter lets it become.
 */
import { dayNumber, dayText } from '@hopcount/shared/days.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'

const writeEveryMs = 5_000

/**
 * @param take returns what was counted since the last call; undefined: nothing
 * @param write adds it to those of a UTC day (`YYYY-MM-DD`)
 * @param name for the log, of what is done: "counting …"
 * @returns writes the remaining counts, and stops
 */
export function writeCounts<Counts>(options: {
  take: () => Counts | undefined
  write: (day: string, counts: Counts) => Promise<void>
  name: string
  log: Log
}): () => Promise<void> {
  const health = createHealthLog(options.log, options.name)
  let batch: { day: string; counts: Counts | undefined } | undefined
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
    batch ??= { day: dayText(dayNumber(Date.now())), counts: options.take() }
    const { day, counts } = batch
    try {
      if (counts !== undefined) await options.write(day, counts)
      batch = undefined
      health.works()
    } catch (error) {
      health.fails(error)
    }
  }

  return async () => {
    clearInterval(timer)
    // First the batch that is being written, or waiting since an outage; then what was counted after it.
    await write()
    await write()
  }
}
