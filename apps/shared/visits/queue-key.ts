import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const keyBytes = 32

/**
 * The key that encrypts jobs where PostgreSQL carries the queue; API and worker then run on one host. It is a file beside
 * the spool, created by the first process that needs it and readable by its owner only.
 */
export function readQueueKey(spoolDir: string): Buffer {
  const path = join(spoolDir, 'queue.key')
  const known = read(path)
  if (known !== undefined) return known
  mkdirSync(spoolDir, { recursive: true })
  // Written first and linked then, so nobody reads half a key; if two processes create one, the first wins.
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
    if (key.length !== keyBytes) throw new Error(`${path} is not a key of ${keyBytes} bytes`)
    return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
