import { rename } from 'node:fs/promises'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { SetAside } from './list-set-aside.ts'

/**
 * Has a batch tried again: its failed job goes back to the queue, and an API process delivers its segment. Either is
 * enough; the ledger counts the batch once, and the segment is deleted when it does. False if neither is here.
 */
export async function putBack({ id, isFailedJob, file }: SetAside, queue: VisitQueue): Promise<boolean> {
  if (file?.state === 'aside') await rename(file.path, file.path.replace(/\.aside$/, '.retry'))
  const job = isFailedJob ? await queue.find(id) : undefined
  await job?.retry('failed')
  return file !== undefined || job !== undefined
}
