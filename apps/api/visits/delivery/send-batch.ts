/**
 * One attempt to bring a batch into the queue. It never throws: how it ended decides the state of the batch.
 *
 * A batch that was sent before is looked up first: a queue that still holds it does not need its bytes, which would
 * have to be read and packed. A failed job keeps its id taken, so adding the batch again would change nothing. A job that is
 * encrypted with another key than ours is replaced: a worker may lack that key.
 */
import type { Log } from '@hopcount/shared/log.ts'
import { errorText } from '@hopcount/shared/log.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { SealedBatch } from '../sealed-batch.ts'
import type { AttemptEnd } from './batch-states.ts'
import type { OutstandingBatch } from './outstanding-batches.ts'
import { createBatchPacker } from './pack-batches.ts'

export type SendBatch = (outstanding: OutstandingBatch) => Promise<AttemptEnd>

export function createBatchSender(queue: VisitQueue, log: Log): SendBatch {
  const pack = createBatchPacker(queue.pack)

  async function send({ batch, sentAt }: OutstandingBatch): Promise<AttemptEnd> {
    const { producerId, seq } = batch
    const wasSent = sentAt !== undefined
    try {
      if (wasSent && (await isHeld(batch))) return 'queue has it'
      const frames = await pack(batch)
      // The reply to an earlier attempt may have been lost.
      if (frames === undefined) return (await isHeld(batch)) ? 'queue has it' : 'segment missing'
      if (wasSent && (await isRefused(batch, frames))) return 'worker refuses it'
      await queue.add({ producerId, seq, frames })
      return 'queue has it'
    } catch (error) {
      // The queue logs its own outages, once each. Errors of the disk would go unseen.
      if ((error as NodeJS.ErrnoException).syscall !== undefined) {
        log.debug({ batch: batchKey(batch), reason: errorText(error) }, 'batch not sent')
      }
      return 'attempt failed'
    }
  }

  /** Decided by the job itself: the queue's lists may still name a job whose data is lost. */
  async function isHeld(batch: SealedBatch): Promise<boolean> {
    const job = await queue.find(batchKey(batch))
    if (job === undefined || (await job.isFailed())) return false
    if (queue.isPackedHere(job)) return true
    await job.remove()
    return false
  }

  /** A failed job with the same bytes: the batch is set aside. With other bytes (changed in transit): ours replace it. */
  async function isRefused(batch: SealedBatch, frames: string): Promise<boolean> {
    const job = await queue.find(batchKey(batch))
    if (job === undefined || !(await job.isFailed())) return false
    const data: unknown = job.data
    const same = typeof data === 'object' && data !== null && 'frames' in data && data.frames === frames
    if (!same) {
      await job.remove()
      return false
    }
    await batch.setAside()
    log.error(
      { batch: batchKey(batch), reason: job.failedReason },
      'a batch that the worker refuses is set aside',
    )
    return true
  }

  return send
}
