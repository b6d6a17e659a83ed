import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const keyBytes = 32

/**
 * The key that seals what lies in PostgreSQL's queue, in a file beside the spool: API and worker run on one host where
 * PostgreSQL carries the queue. Made by whoever comes first; readable by its owner alone.
 */
export function readQueueKey(spoolDir: string): Buffer {
  const path = join(spoolDir, 'queue.key')
  const known = read(path)
  if (known !== undefined) return known
  mkdirSync(spoolDir, { recursive: true })
  // Linked when it is whole: nobody reads half a key, and of two who make one the first wins.
  const own = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  writeFileSync(own, randomBytes(keyBytes), { mode: 0o600, flag: 'wx' })
  try {
    linkSync(own, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(own)
  }
  const made = read(path)
  if (made === undefined) throw new Error(`${path} can't be read`)
  return made
}

function read(path: string): Buffer | undefined {
  try {
    const key = readFileSync(path)
    if (key.length !== keyBytes) throw new Error(`${path} is no key of ${keyBytes} bytes`)
    return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
