/**
 * What happens to the visits of one event-loop turn before their redirects may be sent, by VISIT_DURABILITY:
 *
 *   spool   the spool takes them → kept; else as the queue decides (keep-in-queue.ts), without a copy in the spool
 *   queue   as the queue decides, with a copy in the spool if it can be written
 *   both    as the queue decides, with a copy in the spool; without one they are refused
 *
 * kept:      the redirects go out.
 * refused:   VisitRefused (503). With VISIT_LOSS=allow they go out nevertheless: what the queue refused is put into the spool
 *            alone, and what the spool refuses, too, is lost and counted as such.
 * uncertain: VisitUncertain. The visit may or may not be counted, so neither 307 nor 503 would be true. With
 *            VISIT_LOSS=allow it counts as lost.
 */
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { Visit } from '@hopcount/shared/visits/visit-batch.ts'
import type { Copy, QueueKeeperOptions } from './keep-in-queue.ts'
import { createQueueKeeper } from './keep-in-queue.ts'
import type { VisitSpool } from './visit-spool.ts'

export class VisitRefused extends Error {}
export class VisitUncertain extends Error {}

export type VisitDurability = 'spool' | 'queue' | 'both'

/** How long the spool is not tried again after a failure. */
const retryAfterMs = 250
const nothing: never[] = []

/** Commits the visits of a turn, for group commit. Returns a promise only where it has to wait. */
export type KeepVisits = (visits: Visit[]) => never[] | Promise<never[]>

export function createVisitKeeper(
  options: QueueKeeperOptions & {
    durability: VisitDurability
    spool: Pick<VisitSpool, 'append'>
    allowLoss: boolean
    /** Called after a failed write to the spool; resolves with true if the next one may succeed. Never rejects. */
    restoreSpool: () => Promise<boolean>
  },
): KeepVisits {
  const { durability, spool, kept: keptSegments, allowLoss, restoreSpool, counters, log } = options
  const keepInQueue = createQueueKeeper(options)
  const spoolHealth = createHealthLog(log, 'writing the spool')
  const lossHealth = createHealthLog(log, `keeping visits (VISIT_DURABILITY=${durability})`)
  let spoolRetryAt = 0

  /** Calls `otherwise` if the spool can't be written. */
  function keepInSpool(
    visits: Visit[],
    otherwise: () => never[] | Promise<never[]>,
  ): never[] | Promise<never[]> {
    if (performance.now() < spoolRetryAt) return otherwise()
    const failed = async (error: unknown) => {
      spoolHealth.fails(error)
      spoolRetryAt = performance.now() + retryAfterMs
      if (await restoreSpool()) {
        spoolRetryAt = 0
        return keepInSpool(visits, otherwise)
      }
      keptSegments.giveUp()
      return otherwise()
    }
    try {
      const appended = spool.append(visits)
      if (appended === undefined) return kept(visits)
      return appended.then(() => kept(visits), failed)
    } catch (error) {
      return failed(error)
    }
  }

  function kept(visits: Visit[]): never[] {
    counters.kept += visits.length
    if (spoolHealth.failing()) spoolHealth.works()
    return nothing
  }

  async function decideByQueue(visits: Visit[], copy: Copy): Promise<never[]> {
    const outcome = await keepInQueue(visits, copy)
    if (outcome === 'kept') {
      lossHealth.works()
      return nothing
    }
    lossHealth.fails(allowLoss ? 'redirecting anyway (VISIT_LOSS=allow)' : 'refusing redirects')
    if (allowLoss) {
      const lose = () => {
        counters.lost += visits.length
        return nothing
      }
      // Uncertain ones must not be kept once more: they may be counted.
      return copy === 'none' || outcome === 'uncertain' ? lose() : keepInSpool(visits, lose)
    }
    if (outcome === 'uncertain')
      throw new VisitUncertain('the queue may hold the visit, and the ledger cannot be read')
    counters.refused += visits.length
    throw new VisitRefused('the visit can not be kept')
  }

  return {
    spool: (visits: Visit[]) => keepInSpool(visits, () => decideByQueue(visits, 'none')),
    queue: (visits: Visit[]) => decideByQueue(visits, 'if possible'),
    both: (visits: Visit[]) => decideByQueue(visits, 'required'),
  }[durability]
}
