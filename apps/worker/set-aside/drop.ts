import { rm } from 'node:fs/promises'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import { voidBatch } from '@hopcount/shared/visits/void-batch.ts'
import type { Pool } from 'pg'
import type { SetAside } from './list-set-aside.ts'

/** Gives up a batch: it is void, so that it never counts, and its job and its segment are deleted. */
export async function drop(
  { id, batch, file }: SetAside,
  { pool, queue }: { pool: Pool; queue: VisitQueue },
): Promise<void> {
  // First: whatever still has the batch finds that the ledger holds it.
  if (batch !== undefined) await voidBatch(pool, batch)
  await (await queue.find(id))?.remove()
  if (file !== undefined) await rm(file.path, { force: true })
}
