/** The files of the spool that are out of delivery, and wait for an operator. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { BatchId } from './visit-batch.ts'

export interface SetAsideFile extends BatchId {
  /**
   * - `aside`: a segment that a worker refused.
   * - `retry`: one that was put back by `npm run queue retry`, for any API process to deliver.
   * - `damaged`: the bytes of a segment that could not be read; the rest of it was delivered.
   */
  state: 'aside' | 'retry' | 'damaged'
  path: string
}

const producerPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const filePattern = /^(\d{12})\.(aside|retry|damaged)$/

/** Of all producers. Empty if there is no spool. */
export async function listSetAsideFiles(spoolDir: string): Promise<SetAsideFile[]> {
  const files: SetAsideFile[] = []
  for (const producerId of await namesIn(spoolDir)) {
    if (!producerPattern.test(producerId)) continue
    const folder = join(spoolDir, producerId)
    for (const name of await namesIn(folder)) {
      const [, seq, state] = filePattern.exec(name) ?? []
      if (seq === undefined) continue
      files.push({
        producerId,
        seq: Number(seq),
        state: state as SetAsideFile['state'],
        path: join(folder, name),
      })
    }
  }
  return files
}

/** Folders come and go. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
