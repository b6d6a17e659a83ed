/**
 * The identity of a spool: a file in SPOOL_DIR. It tells a spool that is gone (another disk, the same path) from one that
 * a sibling or a successor looks after.
 */
import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@hopcount/shared/log.ts'
import { errorText } from '@hopcount/shared/log.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Undefined if the spool can't be marked; nobody removes the reports of its producers by themselves then. */
export async function markSpool(spoolDir: string, log: Log): Promise<string | undefined> {
  const file = join(spoolDir, 'spool-id')
  try {
    await mkdir(spoolDir, { recursive: true })
    const draft = join(spoolDir, `.spool-id-${randomUUID()}`)
    await writeFile(draft, randomUUID())
    // Of processes that start at the same time, the first one's file stays; it is never seen half written.
    await link(draft, file).catch(unlessItExists)
    await rm(draft)
    const id = await readFile(file, 'utf8')
    if (uuid.test(id)) return id
    throw new Error(`${file} is not a UUID`)
  } catch (error) {
    log.warn({ spoolDir, reason: errorText(error) }, 'the spool cannot be marked')
    return undefined
  }
}

function unlessItExists(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
