/**
 * Recording a visit, as the redirect sees it: record() calls `onKept` once the visit is durable, and only then may the 307
 * be sent. It calls `onFailed` with VisitRefused or VisitUncertain (keep-visits.ts) when there must be no 307. One of them is
 * called, once, and after record() has returned.
 *
 * The path of a visit: group commit (one event-loop turn) → keep-visits → visit-spool → own-segments → deliver-batches.
 * Segments of dead processes enter it through adopt-segments.
 */
import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createMinuteLog } from '@hopcount/shared/log.ts'
import { setAsideBatch } from '@hopcount/shared/visits/set-aside-batch.ts'
import type { BatchId, Visit } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { Pool } from 'pg'
import type { DatabaseWatch } from '../watch-database.ts'
import { createBatchNumbers } from './batch-numbers.ts'
import type { PendingCounter } from './count-pending.ts'
import { createPendingCounter } from './count-pending.ts'
import type { BatchExit } from './delivery/batch-states.ts'
import { createDeliverer } from './delivery/deliver-batches.ts'
import type { KeptVisits } from './keep-in-queue.ts'
import type { VisitDurability } from './keep-visits.ts'
import { createVisitKeeper } from './keep-visits.ts'
import { openProducerFolder } from './producer-folder.ts'
import { createFolderRestorer } from './restore-folder.ts'
import type { SealedBatch } from './sealed-batch.ts'
import { createAdoption } from './segments/adopt-segments.ts'
import type { KeptBatch } from './segments/kept-segments.ts'
import { createKeptSegments } from './segments/kept-segments.ts'
import { createOwnSegments } from './segments/own-segments.ts'
import type { SetAsideSegments } from './segments/set-aside-segments.ts'
import { createSetAsideSegments } from './segments/set-aside-segments.ts'
import { createVisitSpool } from './visit-spool.ts'
import { voidLostBatches } from './void-lost-batches.ts'

export interface VisitRecorder
  extends Pick<PendingCounter, 'pending' | 'recordedUntil' | 'ownPending' | 'adopted'> {
  producerId: string
  record(visit: Visit, onKept: () => void, onFailed: (error: unknown) => void): void
  /** True if this producer is dead and has left no segment in the spool. */
  hasEnded(producerId: string): Promise<boolean>
  /** Calls back whenever everything that was pending is recorded. */
  onAllSettled(callBack: () => void): void
  /** The last batch number drawn. */
  lastSeq(): number
  counters: VisitCounters
  /** Size of the segments that are recorded and kept. */
  keptBytes(): number
  /** Segments in the spool, of all producers, that wait for an operator. */
  setAsideSegments: SetAsideSegments['counts']
  /** Seals the open segment, delivers for `deliverWithinMs` at most, and closes; the next process adopts what remains. */
  close(deliverWithinMs: number): Promise<void>
}

export interface VisitCounters extends KeptVisits {
  batchesOfferedAgain: number
  damagedRanges: number
  batchesSetAside: number
}

const sweepEveryMs = 5_000
const restoreEveryMs = 1_000
/** It lists every folder: 10 ms for a backlog of 20,000 segments. */
const setAsideEveryMs = 5_000
/**
 * Where every turn is a batch in the queue, the window bounds only what this process remembers of them: some 1 KB each.
 * The ledger is asked for all of them every 150 ms.
 */
const windowOfSent = 2_000
const gatherMs = 50

export async function openVisitRecorder(options: {
  spoolDir: string
  fsync: boolean
  allowLoss: boolean
  durability: VisitDurability
  /** How long, and up to how many bytes, segments are kept after they are recorded. */
  keepMs: number
  maxKeptBytes: number
  /** Called when somebody has deleted the folder, and it is made again. */
  onFolderRestored: () => void
  queue: VisitQueue
  pool: Pool
  watch: DatabaseWatch
  log: Log
}): Promise<VisitRecorder> {
  const { queue, pool, watch, log, spoolDir, durability } = options
  const folder = await openProducerFolder(spoolDir)
  const { producerId } = folder
  const numbers = createBatchNumbers()
  const counters: VisitCounters = {
    kept: 0,
    countedAtOnce: 0,
    refused: 0,
    lost: 0,
    damagedRanges: 0,
    batchesSetAside: 0,
    batchesOfferedAgain: 0,
  }
  /** The highest number of this process's own batches that the ledger was seen to hold. */
  let lastCounted = 0
  const logLost = createMinuteLog(log, 'visits are lost: their spool segment was deleted or damaged', 'error')
  /** Since when visits are on their way to the queue directly, or to a slow disk. */
  let committingSince: number | undefined
  let allSettled = (): void => {}

  const deliverer = createDeliverer({
    queue,
    pool,
    watch,
    log,
    onExit,
    ...(durability !== 'spool' && { windowBatches: windowOfSent }),
  })
  const kept = createKeptSegments({
    keepMs: options.keepMs,
    maxBytes: options.maxKeptBytes,
    pool,
    watch,
    onMissing,
    onChecked: () => void voidLost(),
    log,
  })
  watch.onEpoch(() => {
    deliverer.doubt()
    kept.doubt()
  })
  watch.onRestart(kept.doubt)
  const own = createOwnSegments({ folder, deliverer, kept, log, onDamage })
  const adoption = createAdoption({
    spoolDir,
    ownProducerId: producerId,
    deliverer,
    kept,
    log,
    onDamage,
    onUnreadable: id =>
      setAsideBatch(pool, id, { reason: 'its spool segment is damaged: no visit can be read' }),
  })
  deliverer.addSource(own.source)
  deliverer.addSource(adoption.source)
  const setAside = createSetAsideSegments({ spoolDir, deliverer, kept, log, onDamage })
  deliverer.addSource(setAside.source)
  await adoption.sweep()
  await setAside.sweep()
  const timers = [
    setInterval(() => void adoption.sweep(), sweepEveryMs),
    setInterval(() => void setAside.sweep(), setAsideEveryMs),
  ]

  const spool = createVisitSpool({
    folder: folder.path,
    fsync: options.fsync,
    nextSeq: numbers.next,
    hasRoom: deliverer.hasRoom,
    onSealed: own.add,
  })
  const restoreFolder = createFolderRestorer(folder, { onRestored, log })
  timers.push(setInterval(() => void restoreFolder(), restoreEveryMs))
  const { allowLoss } = options
  const keep = createVisitKeeper({
    durability,
    folder,
    fsync: options.fsync,
    numbers,
    spool,
    queue,
    deliverer,
    own,
    kept,
    pool,
    allowLoss,
    restoreSpool: restoreFolder,
    counters,
    log,
  })
  const commits = createGroupCommit<Visit, void>({ commit, gather })
  const counter = createPendingCounter({
    producerId,
    counters,
    deliverer,
    own,
    adoption,
    kept,
    spool,
    committingSince: () => committingSince,
  })

  /** What the ledger lacks, and nothing here has any more. A number that is in use must not be among it. */
  async function voidLost(): Promise<void> {
    await commits.idle()
    const inUse = [deliverer.lowestSeq(producerId), spool.unsealed().seq, lastCounted + 1]
    await voidLostBatches({ pool, folder, log, below: Math.min(...inUse.filter(seq => seq !== undefined)) })
  }

  /** Where every group is a batch in the queue, groups are larger while there is a backlog: it costs memory per batch. */
  function gather(start: () => void): void {
    if (durability !== 'spool' && own.waiting() > 0) setTimeout(start, gatherMs)
    else setImmediate(start)
  }

  function onDamage(ranges: number): void {
    counters.damagedRanges += ranges
  }

  /** Visits are stamped within the call. Until it has ended they are neither in the spool nor with the deliverer. */
  function commit(visits: Visit[]): never[] | Promise<never[]> {
    const startedAt = Date.now()
    const kept = keep(visits)
    if (!(kept instanceof Promise)) return kept
    committingSince = startedAt
    return kept.finally(() => {
      committingSince = undefined
    })
  }

  function onExit(batch: SealedBatch, exit: BatchExit): void {
    if (exit === 'set aside') counters.batchesSetAside++
    if (exit === 'counted' && isOwn(batch)) lastCounted = Math.max(lastCounted, batch.seq)
    // Its file was deleted. If it was neither counted nor is in the queue, its visits are lost; it becomes void, because a
    // missing number would hold up the ledger's watermark.
    if (exit === 'gone' && batch.redirected > 0)
      deliverer.voidLater(batch, isVoid => settle(batch, isVoid ? batch.redirected : 0))
    else settle(batch, batch.redirected - batch.visits)
  }

  function settle(batch: SealedBatch, lost: number): void {
    const isAllSettled = counter.settle(batch)
    if (lost > 0) {
      counters.lost += lost
      logLost(lost, { batch: batchKey(batch) })
    }
    if (isAllSettled) allSettled()
  }

  function onRestored(): void {
    void sealNameless()
    options.onFolderRestored()
  }

  /** The open segment may be a file without a name by now. What it holds is delivered from memory. */
  async function sealNameless(): Promise<void> {
    await commits.idle()
    spool.seal()
  }

  const isOwn = (batch: BatchId) => batch.producerId === producerId

  function onMissing(batches: KeptBatch[]): void {
    counters.batchesOfferedAgain += batches.length
    own.offerAgain(batches.filter(isOwn))
    adoption.offerAgain(batches.filter(batch => !isOwn(batch)))
    deliverer.fill()
  }

  async function close(deliverWithinMs: number): Promise<void> {
    await commits.idle()
    for (const timer of timers) clearInterval(timer)
    kept.close()
    spool.seal()
    deliverer.fill()
    await deliverer.stop(deliverWithinMs)
    await folder.close()
  }

  return {
    producerId,
    record: commits.put,
    pending: counter.pending,
    recordedUntil: counter.recordedUntil,
    ownPending: counter.ownPending,
    adopted: counter.adopted,
    hasEnded: adoption.hasEnded,
    onAllSettled(callBack) {
      allSettled = callBack
    },
    lastSeq: numbers.last,
    setAsideSegments: setAside.counts,
    counters,
    keptBytes: kept.bytes,
    close,
  }
}
