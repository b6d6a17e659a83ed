/**
 * Keeps segments for a while after the ledger was seen to hold them, because a database may lose what it has confirmed: an
 * asynchronous standby is promoted without the primary's last seconds, or a backup is restored.
 *
 * A kept segment is the file `<seq>.kept` in its producer's folder: one rename in place of the deletion, which comes
 * later: after `keepMs`, if the ledger still holds the batch then. All of them take `maxBytes` at most, the oldest going
 * first. When the spool can't be written they all go: room for new visits is worth more.
 *
 * Each one is known to be recorded in one epoch of the database (database-epoch.ts). When another one begins, the ledger is
 * asked again: what it still holds is kept on, and what it lacks becomes a sealed segment again and is delivered under its
 * old id. The ledger decides as always, so offering too much changes no count. Segments that a dead producer has kept are
 * found by adoption (`found`), and asked for once, since the epoch may have changed while nobody ran.
 *
 * In memory, a kept segment is an entry of some 200 bytes.
 */
import { rename, stat, unlink, writeFile } from 'node:fs/promises'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog, createMinuteLog, errorText } from '@hopcount/shared/log.ts'
import { recordedBatches } from '@hopcount/shared/visits/recorded-batches.ts'
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { Pool } from 'pg'
import type { DatabaseWatch } from '../../watch-database.ts'
import { segmentPath } from '../producer-folder.ts'

export interface KeptBatch extends BatchId {
  folder: string
  bytes: number
  /** 0, like the following, where the process has found the segment and not read it. */
  visits: number
  firstVisitAt: number
}

export interface KeptSegments {
  /**
   * Takes over the segment of a batch that the ledger held in this epoch: its file, or its frames if it has none. Rejects
   * if the file can't be renamed.
   */
  keep(batch: KeptBatch, epoch: string, content: { path: string } | { frames: Buffer }): Promise<void>
  /** Kept segments of a dead producer. Those that are known already are ignored. */
  found(folder: string, producerId: string, seqs: number[]): void
  /** The spool can't be written: deletes all of them. */
  giveUp(): void
  /** Asks the ledger again for all of them: it may have lost some. */
  doubt(): void
  /** The oldest visit of all for which the ledger has to be asked again (milliseconds since 1970); undefined: there is none. */
  firstDoubtfulAt(): number | undefined
  count(): number
  bytes(): number
  close(): void
}

interface Entry extends KeptBatch {
  /** The epoch in which the ledger was seen to hold it; undefined: not by this process. */
  epoch: string | undefined
  /** The ledger has to be asked again. */
  isDoubtful: boolean
  /** By a monotonic clock. */
  keptAt: number
  /** The file has its final name. */
  inPlace: Promise<unknown>
}

const tidyEveryMs = 1_000
const batchesPerQuery = 500
/** Bounds memory where segments are tiny. 300 s of a segment every 50 ms are 6,000. */
const maxEntries = 20_000

export function createKeptSegments(options: {
  keepMs: number
  maxBytes: number
  pool: Pool
  watch: Pick<DatabaseWatch, 'epoch' | 'check' | 'commitsAreMissing'>
  /** Called with batches that the ledger lacks; their segments are sealed ones again. */
  onMissing: (batches: KeptBatch[]) => void
  /** Called when none is doubtful any more: what the ledger still lacks is not kept. */
  onChecked: () => void
  log: Log
}): KeptSegments {
  const { keepMs, maxBytes, pool, watch, onMissing, onChecked, log } = options
  const health = createHealthLog(log, 'looking after kept segments')
  const warnOfMissing = createMinuteLog(
    log,
    'the database has lost batches that it had confirmed; they are delivered again',
  )
  /** Oldest first. */
  const entries = new Map<string, Entry>()
  let totalBytes = 0
  let someAreDoubtful = false
  let isTidying = false
  /** Those that the ledger is being asked for: they may be on their way back to delivery. */
  let beingAsked: Entry[] = []

  async function keep(
    batch: KeptBatch,
    epoch: string,
    content: { path: string } | { frames: Buffer },
  ): Promise<void> {
    if (keepMs === 0) {
      if ('path' in content) await unlink(content.path).catch(ignoreAbsent)
      return
    }
    const kept = segmentPath(batch.folder, batch.seq, 'kept')
    // Entered first: an epoch that begins during the renaming must not miss it.
    const inPlace =
      'path' in content ? rename(content.path, kept) : writeFile(kept, content.frames, { mode: 0o600 })
    enter(batch, epoch, inPlace)
    try {
      await inPlace
    } catch (error) {
      drop(batchKey(batch))
      // Without a file: where the spool can't be written, nothing can be kept. With one: another process has recorded it.
      if ('path' in content) ignoreAbsent(error)
    }
  }

  function enter(batch: KeptBatch, epoch: string | undefined, inPlace: Promise<unknown>): void {
    const { producerId, seq, folder, bytes, visits, firstVisitAt } = batch
    drop(batchKey(batch))
    const isDoubtful = epoch !== watch.epoch()
    if (isDoubtful) someAreDoubtful = true
    const facts = { producerId, seq, folder, bytes, visits, firstVisitAt }
    entries.set(batchKey(batch), { ...facts, epoch, isDoubtful, keptAt: performance.now(), inPlace })
    totalBytes += bytes
  }

  function drop(key: string): void {
    totalBytes -= entries.get(key)?.bytes ?? 0
    entries.delete(key)
  }

  function found(folder: string, producerId: string, seqs: number[]): void {
    for (const seq of seqs) {
      const batch = { producerId, seq, folder, bytes: 0, visits: 0, firstVisitAt: 0 }
      if (entries.has(batchKey(batch))) continue
      enter(batch, undefined, measure(batch))
    }
  }

  async function measure(batch: KeptBatch): Promise<void> {
    const file = await stat(segmentPath(batch.folder, batch.seq, 'kept')).catch(() => undefined)
    const entry = entries.get(batchKey(batch))
    if (entry === undefined) return
    if (file === undefined) return drop(batchKey(batch))
    entry.bytes = file.size
    totalBytes += file.size
  }

  async function tidy(): Promise<void> {
    try {
      for (let entry = excess(); entry !== undefined; entry = excess()) await remove(entry)
      const wereDoubtful = someAreDoubtful
      for (let asked = toAsk(); asked.length > 0; asked = toAsk()) await askLedger(asked)
      if (wereDoubtful) onChecked()
      health.works()
    } catch (error) {
      // An outage of the database is said elsewhere.
      if (error instanceof Error && 'syscall' in error && 'path' in error) health.fails(error)
      else log.debug({ reason: errorText(error) }, 'the ledger could not be asked for kept segments')
    }
  }

  function excess(): Entry | undefined {
    if (totalBytes <= maxBytes && entries.size <= maxEntries) return undefined
    return entries.values().next().value
  }

  /** The next entries that are doubtful, or so old that they may go. */
  function toAsk(): Entry[] {
    const asked: Entry[] = []
    for (const entry of entries.values()) {
      if (entry.isDoubtful || isOld(entry)) asked.push(entry)
      else if (!someAreDoubtful) break
      if (asked.length === batchesPerQuery) return asked
    }
    if (!asked.some(entry => entry.isDoubtful)) someAreDoubtful = false
    return asked
  }

  const isOld = ({ keptAt }: Entry) => performance.now() - keptAt > keepMs

  /** Rejects when the ledger can't be read, so during an outage nothing goes for its age. */
  async function askLedger(asked: Entry[]): Promise<void> {
    beingAsked = asked.filter(entry => entry.isDoubtful)
    const epoch = watch.epoch()
    const answer = await recordedBatches(pool, asked)
    if (answer.epoch !== epoch || watch.epoch() !== epoch) {
      await watch.check()
      throw new Error('another epoch of the database began')
    }
    const missing: Entry[] = []
    for (const entry of asked) {
      if (!answer.recorded.has(batchKey(entry))) missing.push(entry)
      else if (isOld(entry)) await remove(entry)
      else {
        entry.isDoubtful = false
        entry.epoch = epoch
      }
    }
    if (missing.some(entry => entry.epoch === epoch)) await watch.commitsAreMissing()
    await offer(missing)
    beingAsked = []
  }

  async function offer(missing: Entry[]): Promise<void> {
    const offered: KeptBatch[] = []
    for (const entry of missing) {
      drop(batchKey(entry))
      const { folder, seq } = entry
      try {
        await entry.inPlace
        await rename(segmentPath(folder, seq, 'kept'), segmentPath(folder, seq, 'sealed'))
        offered.push(entry)
      } catch (error) {
        // Another process offers it.
        ignoreAbsent(error)
      }
    }
    if (offered.length === 0) return
    warnOfMissing(offered.length, {})
    onMissing(offered)
  }

  function firstDoubtfulAt(): number | undefined {
    if (!someAreDoubtful && beingAsked.length === 0) return undefined
    let first = Number.POSITIVE_INFINITY
    for (const { firstVisitAt } of beingAsked) first = Math.min(first, firstVisitAt)
    for (const { isDoubtful, firstVisitAt } of entries.values())
      if (isDoubtful) first = Math.min(first, firstVisitAt)
    return Number.isFinite(first) ? first : undefined
  }

  async function remove(entry: Entry): Promise<void> {
    drop(batchKey(entry))
    await entry.inPlace.catch(() => {})
    await unlink(segmentPath(entry.folder, entry.seq, 'kept')).catch(ignoreAbsent)
  }

  function giveUp(): void {
    if (entries.size === 0) return
    log.warn(
      { segments: entries.size },
      'kept segments are deleted early, because the spool cannot be written',
    )
    for (const entry of [...entries.values()]) void remove(entry).catch(error => health.fails(error))
  }

  async function tidySoon(): Promise<void> {
    if (isTidying) return
    isTidying = true
    await tidy()
    isTidying = false
  }

  const timer = setInterval(() => void tidySoon(), tidyEveryMs)
  return {
    keep,
    found,
    giveUp,
    doubt() {
      for (const entry of entries.values()) entry.isDoubtful = true
      someAreDoubtful = true
      void tidySoon()
    },
    firstDoubtfulAt,
    count: () => entries.size,
    bytes: () => totalBytes,
    close: () => clearInterval(timer),
  }
}

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}
