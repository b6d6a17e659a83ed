/**
 * One attempt to bring a batch into the queue. It never throws: how it ended decides the state of the batch.
 *
 * A batch that was sent before is looked up first: a queue that still holds it does not need its bytes, which would
 * have to be read and packed. A failed job keeps its id taken, so adding the batch again would change nothing. A job that is
 * encrypted with another key than ours is replaced: a worker may lack that key. So is one without the frames that a worker
 * has returned.
 */
import type { Log } from '@hopcount/shared/log.ts'
import { errorText } from '@hopcount/shared/log.ts'
import { isInSpool } from '@hopcount/shared/visits/spooled-frames.ts'
import type { VisitJob } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { SealedBatch } from '../sealed-batch.ts'
import type { AttemptEnd } from './batch-states.ts'
import type { OutstandingBatch } from './outstanding-batches.ts'
import { createBatchPacker } from './pack-batches.ts'

/**
 * How long every job carries its frames after a worker could not read a segment. Each new attempt to do without costs a delay of
 * some 10 s if that has not changed.
 */
const carryForMs = 3_600_000

export type SendBatch = (outstanding: OutstandingBatch) => Promise<AttemptEnd>

export function createBatchSender(queue: VisitQueue, log: Log): SendBatch {
  const pack = createBatchPacker(queue.pack)
  let carryUntil = 0

  async function send({ batch, sentAt }: OutstandingBatch): Promise<AttemptEnd> {
    const { producerId, seq } = batch
    const wasSent = sentAt !== undefined
    try {
      if (wasSent && (await isHeld(batch))) return 'queue has it'
      const reference = wasSent ? undefined : refer(batch)
      if (reference !== undefined) {
        await queue.add(reference)
        return 'queue has it'
      }
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

  /** The job without the frames, where a worker can be expected to read them from the spool. */
  function refer(batch: SealedBatch): VisitJob | undefined {
    if (performance.now() < carryUntil) return undefined
    const visits = batch.refer()
    return visits === undefined ? undefined : queue.refer(batch, visits)
  }

  /** Decided by the job itself: the queue's lists may still name a job whose data is lost. */
  async function isHeld(batch: SealedBatch): Promise<boolean> {
    const job = await queue.find(batchKey(batch))
    if (job === undefined || (await job.isFailed())) return false
    if (await queue.isOpenable(job)) return true
    if (isInSpool(Object(job.data))) {
      if (performance.now() >= carryUntil)
        log.warn(
          { batch: batchKey(batch) },
          'a worker can not read a segment in SPOOL_DIR; visits are sent through the queue for now',
        )
      carryUntil = performance.now() + carryForMs
    }
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
