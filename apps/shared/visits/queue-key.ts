/**
 * The files of the keys that encrypt jobs where PostgreSQL carries the queue: `queue.key` in SPOOL_DIR is the current one,
 * `queue.key.<fingerprint>` are those that it replaced. They are readable by their owner only. API and worker use the same
 * folder. Which key is the right one is decided in the database (claim-queue-key.ts).
 */
import { createHash, randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface QueueKey {
  /** Names the key and reveals nothing about it. */
  readonly fingerprint: string
  readonly secret: Buffer
}

const keyBytes = 32
const currentName = 'queue.key'
const replacedPattern = /^queue\.key\.[0-9a-f]{16}$/

/** The current key; undefined if there is none. */
export function readQueueKey(spoolDir: string): QueueKey | undefined {
  return readKeyFile(join(spoolDir, currentName))
}

/** The current key and all that it replaced, by fingerprint. */
export function readQueueKeys(spoolDir: string): Map<string, QueueKey> {
  const keys = new Map<string, QueueKey>()
  for (const name of readdirSync(spoolDir)) {
    if (name !== currentName && !replacedPattern.test(name)) continue
    const key = readKeyFile(join(spoolDir, name))
    if (key !== undefined) keys.set(key.fingerprint, key)
  }
  return keys
}

/** Creates the current key. If another process does at the same moment, both return the same one. */
export function createQueueKey(spoolDir: string): QueueKey {
  const path = join(spoolDir, currentName)
  mkdirSync(spoolDir, { recursive: true, mode: 0o700 })
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
  const created = readKeyFile(path)
  if (created === undefined) throw new Error(`${path} can't be read`)
  return created
}

/** Writes the current key again where somebody has deleted its file, together with the spool of a running process. */
export function restoreQueueKey(spoolDir: string, { secret }: QueueKey): void {
  try {
    writeFileSync(join(spoolDir, currentName), secret, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Keeps the current key for what is encrypted with it. The folder has no current key afterwards. */
export function retireQueueKey(spoolDir: string, { fingerprint }: QueueKey): void {
  renameSync(join(spoolDir, currentName), join(spoolDir, `${currentName}.${fingerprint}`))
}

function readKeyFile(path: string): QueueKey | undefined {
  try {
    const secret = readFileSync(path)
    if (secret.length !== keyBytes) throw new Error(`${path} is not a key of ${keyBytes} bytes`)
    return { fingerprint: fingerprintOf(secret), secret }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** 64 bits of a hash: keys are random, so it can't be searched for. */
function fingerprintOf(secret: Buffer): string {
  return createHash('sha256').update('hopcount queue key').update(secret).digest('hex').slice(0, 16)
}
