/**
 * What is set aside: batches in the ledger's table, failed jobs in the queue, and segments in the spool. The same batch is
 * normally in all three; the queue may have lost it, the spool may be on another host, and a job that is no batch is in the
 * queue only.
 */
import type { SetAsideFile } from '@hopcount/shared/visits/set-aside-files.ts'
import { listSetAsideFiles } from '@hopcount/shared/visits/set-aside-files.ts'
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { Pool } from 'pg'

export interface SetAside {
  /** Of the batch, or of a job that is no batch. */
  id: string
  at?: Date
  reason: string
  /** Undefined if it is not known. */
  visits?: number
  batch?: BatchId
  isFailedJob?: boolean
  /** Its segment. */
  file?: SetAsideFile
}

/** By id. What is put back already (`.retry`) is included: it may be waiting for an API process. */
export async function listSetAside({
  pool,
  queue,
  spoolDir,
}: {
  pool: Pool
  /** Undefined: its failed jobs are left out. */
  queue: VisitQueue | undefined
  spoolDir: string
}): Promise<Map<string, SetAside>> {
  const entries = new Map<string, SetAside>()
  const add = (id: string, entry: Omit<SetAside, 'id'>) =>
    entries.set(id, { id, ...entry, ...entries.get(id), ...(entry.file && { file: entry.file }) })
  for (const { at, reason, visits, ...batch } of await readLedger(pool))
    add(batchKey(batch), { at, reason, batch, ...(visits !== null && { visits }) })
  for await (const job of queue?.jobs('failed') ?? []) {
    const id = job.id ?? ''
    add(id, { at: new Date(job.finishedOn ?? job.timestamp), reason: job.failedReason })
    const entry = entries.get(id)
    if (entry !== undefined) entry.isFailedJob = true
  }
  for (const file of await listSetAsideFiles(spoolDir)) {
    if (file.state === 'damaged') continue
    const { producerId, seq } = file
    add(batchKey(file), { reason: 'refused by a worker', batch: { producerId, seq }, file })
  }
  return entries
}

async function readLedger(
  pool: Pool,
): Promise<(BatchId & { at: Date; reason: string; visits: number | null })[]> {
  const { rows } = await pool.query(
    `SELECT producer_id AS "producerId", seq, set_aside_at AS at, reason, visits
     FROM set_aside_batches ORDER BY set_aside_at, producer_id, seq`,
  )
  return rows
}

/** One line. As JSON, so that nothing from outside reaches a terminal raw. */
export function describeEntry({ id, at, reason, visits }: SetAside): string {
  const known = visits === undefined ? '' : `  ${visits} visits`
  return `${JSON.stringify(id)}  ${at?.toISOString() ?? '-'}  ${JSON.stringify(reason)}${known}`
}
