/**
 * Delivers sealed batches: hands them to the queue, and keeps each one until the ledger holds it.
 *
 * The states of a batch, every event that changes them, and where the event comes from:
 *
 *   new       ── delivered ───────────────► unsent       deliver(), fill()
 *   new       ── delivered as sent ───────► sent         deliver(), of a batch that the queue has acknowledged
 *   new       ── disowned ────────────────► voiding      voidLater()
 *
 *   unsent    ── attempt ─────────────────► sending      attempt(): at once, then every `resendEveryMs`
 *   sent      ── attempt ─────────────────► sending      attempt(): not recorded after `sendAgainAfterMs`
 *   sending   ── queue has it ────────────► sent         send-batch.ts: added, or still there
 *   sending   ── attempt failed ──────────► unsent       send-batch.ts: queue or disk; the queue may have the batch
 *   sending   ── segment missing ─────────► gone         send-batch.ts: another process saw it recorded, or somebody
 *                                                          deleted the file (record-visits.ts asks the ledger which)
 *   sending   ── worker refuses it ───────► set aside    send-batch.ts: the same bytes lie in the queue as failed
 *
 *   unsent    ── ledger holds it ─────────► recorded     confirm-batches.ts, every `confirmEveryMs`: an add whose
 *   sending   ── ledger holds it ─────────► recorded       reply was lost, or another process with the same folder
 *   sent      ── ledger holds it ─────────► recorded       (an attempt under way then ends without effect)
 *   recorded  ── segment released ────────► counted      confirm-batches.ts: only now may the bytes go
 *   recorded  ── segment left behind ─────► counted      confirm-batches.ts: that failed, and is tried again
 *
 *   voiding   ── ledger takes it as void ─► void         confirm-batches.ts: the ledger absorbs the batch from now on
 *   voiding   ── ledger holds it ─────────► counted      confirm-batches.ts: it arrived before
 *
 * The exits are counted, set aside, gone and void. At most `windowBatches` batches are between `new` and an exit, not
 * counting the voiding ones, of which only the id is kept. The rest of the backlog waits in the spool as files, so
 * neither Redis nor this process grows with it.
 *
 * A queue may lose what it has acknowledged (FLUSHALL, the lost tail of an append-only file). That is why a batch that
 * was sent but is not recorded in time is sent again: under the same job id, of which the queue holds at most one.
 */

import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { Pool } from 'pg'
import type { DatabaseWatch } from '../../watch-database.ts'
import type { BatchSource, SealedBatch } from '../sealed-batch.ts'
import type { BatchExit } from './batch-states.ts'
import type { Confirmation } from './confirm-batches.ts'
import { createConfirmation } from './confirm-batches.ts'
import type { OutstandingBatch, PendingBatches } from './outstanding-batches.ts'
import { createOutstandingBatches } from './outstanding-batches.ts'
import { createBatchSender } from './send-batch.ts'

export interface Deliverer {
  hasRoom(): boolean
  /** Takes over a batch, beyond the window if need be (one that the queue already has). */
  deliver(batch: SealedBatch, options?: { alreadySent: boolean }): void
  /** Fills the window from the sources, in the order in which they were added. */
  fill(): void
  addSource(source: BatchSource): void
  /**
   * The ledger may have lost what it held. What the queue has been given may be acknowledged and lost: it is looked for, and
   * sent again, at once. What was void is made void again.
   */
  doubt(): void
  /** The batch was made void: see voidLater. */
  voided(batch: BatchId): void
  /** The lowest number of this producer's batches that are not known to be recorded. */
  lowestSeq(producerId: string): number | undefined
  /**
   * The visits of this batch were not redirected, or its bytes are lost: it must not count unless it already has. Retried
   * until the ledger says so; `onDone` is told whether the batch is void.
   */
  voidLater: Confirmation['voidLater']
  /** The batches that are not known to be recorded, their visits, and the moment of the oldest one (ms since 1970). */
  pending(which?: (batch: SealedBatch) => boolean): PendingBatches
  /** True while some batch of this producer is not known to be recorded, or its segment could not be deleted. */
  holds(producerId: string): boolean
  /** Goes on delivering and confirming for `withinMs` at most, then stops. */
  stop(withinMs: number): Promise<void>
}

const confirmEveryMs = 150
/** While the ledger can't be read. */
const confirmAgainAfterMs = 1_000
const resendEveryMs = 500

export function createDeliverer(options: {
  queue: VisitQueue
  pool: Pool
  watch: Pick<DatabaseWatch, 'epoch' | 'check'>
  log: Log
  /** Called once for each batch delivered, when the deliverer is done with it. */
  onExit: (batch: SealedBatch, exit: BatchExit) => void
  windowBatches?: number
  sendAgainAfterMs?: number
}): Deliverer {
  const { queue, pool, watch, log, onExit, windowBatches = 32, sendAgainAfterMs = 10_000 } = options
  const outstanding = createOutstandingBatches(log, onExit)
  const confirmation = createConfirmation(pool, watch, outstanding, log)
  const sources: BatchSource[] = []
  const send = createBatchSender(queue, log)
  const ledgerHealth = createHealthLog(log, 'reading the ledger')
  let stopped = false
  let sendTimer: NodeJS.Timeout | undefined
  let confirmTimer: NodeJS.Timeout | undefined
  let confirming: Promise<void> = Promise.resolve()

  // Taking batches over

  const hasRoom = () => outstanding.size() < windowBatches

  function fill(): void {
    for (const source of sources) {
      while (hasRoom() && !stopped) {
        const batch = source()
        if (batch === undefined) break
        deliver(batch, { alreadySent: batch.wasSent ?? false })
      }
    }
  }

  function deliver(batch: SealedBatch, { alreadySent } = { alreadySent: false }): void {
    const added = outstanding.add(batch, alreadySent ? 'delivered as sent' : 'delivered')
    if (added === undefined) return
    if (!alreadySent) void attempt(added)
    confirmSoon()
  }

  function voidLater(...disowned: Parameters<Confirmation['voidLater']>): void {
    confirmation.voidLater(...disowned)
    confirmSoon()
  }

  // Sending

  async function attempt(entry: OutstandingBatch): Promise<boolean> {
    outstanding.move(entry, 'attempt')
    const end = await send(entry)
    outstanding.move(entry, end)
    if (entry.state === 'unsent') resendSoon()
    return end !== 'attempt failed'
  }

  /** One at a time and in order. The first failure ends the round, so a queue that is away costs one attempt. */
  async function resend(): Promise<void> {
    for (const entry of outstanding) {
      if (isDue(entry) && !(await attempt(entry))) break
    }
    sendTimer = undefined
    if (outstanding.size() > 0) resendSoon()
  }

  function isDue({ state, sentAt = 0 }: OutstandingBatch): boolean {
    return state === 'unsent' || (state === 'sent' && performance.now() - sentAt > sendAgainAfterMs)
  }

  function resendSoon(): void {
    if (!stopped) sendTimer ??= setTimeout(() => void resend(), resendEveryMs)
  }

  function doubt(): void {
    confirmation.doubt()
    if (confirmation.voiding() > 0) confirmSoon()
    for (const entry of outstanding) if (entry.sentAt !== undefined) entry.sentAt = Number.NEGATIVE_INFINITY
    if (outstanding.size() > 0) resendSoon()
  }

  // Confirming

  async function confirm(): Promise<void> {
    try {
      await confirmation.confirm()
      ledgerHealth.works()
    } catch (error) {
      ledgerHealth.fails(error)
    }
    confirmTimer = undefined
    fill()
    if (outstanding.size() > 0) resendSoon()
    if (outstanding.size() > 0 || confirmation.voiding() > 0) confirmSoon()
  }

  function confirmSoon(): void {
    if (stopped) return
    confirmTimer ??= setTimeout(
      () => {
        confirming = confirm()
      },
      ledgerHealth.failing() ? confirmAgainAfterMs : confirmEveryMs,
    )
  }

  // Stopping

  async function stop(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs
    while (performance.now() < deadline && outstanding.size() > 0 && !ledgerHealth.failing()) {
      const queueIsAway = [...outstanding].every(
        ({ state, sentAt }) => state === 'unsent' && sentAt === undefined,
      )
      if (queueIsAway) break
      await new Promise(resolve => setTimeout(resolve, 25))
    }
    stopped = true
    clearTimeout(confirmTimer)
    clearTimeout(sendTimer)
    confirmation.stop()
    await confirming
  }

  return {
    hasRoom,
    deliver,
    fill,
    doubt,
    voided: confirmation.voided,
    lowestSeq: outstanding.lowestSeq,
    addSource: source => sources.push(source),
    voidLater,
    pending: outstanding.pending,
    holds: producerId => outstanding.holds(producerId) || confirmation.hasUndeleted(producerId),
    stop,
  }
}
