/**
 * A producer's folder in the spool: SPOOL_DIR/<producer id>/, with its segments and a listening unix socket.
 *
 * The socket tells whether the producer is alive: the kernel refuses connections to it once its process is gone, and
 * only then. A stopped process (SIGSTOP) still has a listening socket, so nobody adopts its open segment. The folder is
 * created first, then the socket, then segments; so a folder with segments and no listening socket is a dead producer's.
 * Where somebody deletes folder or socket, the producer makes them again within a second (record-visits.ts).
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import type { Server } from 'node:net'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { v7 } from 'uuid'

export { segmentPath } from '@hopcount/shared/visits/spooled-frames.ts'

export interface ProducerFolder {
  producerId: string
  path: string
  /**
   * Makes the folder and its socket again where somebody has deleted them; true where that was so. Rejects if the spool
   * can't be written. Until it has resolved, no segment may be opened in the folder: without a socket, it is a dead producer's.
   */
  restore(): Promise<boolean>
  /** Closes the socket and removes the folder if no segment is left in it. */
  close(): Promise<void>
}

const socketName = 'alive'
const producerPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/
const segmentPattern = /^(\d{12})\.(open|sealed|kept)$/
const connectDeadlineMs = 1_000

/** A UUID v7: new at each start of a process, and sorted by start time. */
export const newProducerId = (): string => v7()

/** When it started (milliseconds since 1970): RFC 9562, section 5.7. */
export const startOf = (producerId: string): number =>
  Number.parseInt(producerId.replace('-', '').slice(0, 12), 16)

/** Creates the folder of a new producer. Throws if the spool can't be written. */
export async function openProducerFolder(spoolDir: string): Promise<ProducerFolder> {
  const producerId = newProducerId()
  const path = join(spoolDir, producerId)
  let server = await listenIn(path)
  let closed = false
  let restoring: Promise<boolean> | undefined

  async function restoreNow(): Promise<boolean> {
    if (closed || (await stateOf(path)) === 'alive') return false
    // The old one first: its end deletes the file at its path.
    await closeServer(server)
    server = await listenIn(path)
    return true
  }

  return {
    producerId,
    path,
    restore() {
      restoring ??= restoreNow().finally(() => {
        restoring = undefined
      })
      return restoring
    },
    async close() {
      closed = true
      await restoring?.catch(() => {})
      await closeServer(server)
      await removeIfEmpty(path)
    },
  }
}

async function listenIn(folder: string): Promise<Server> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const server = createServer(socket => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(join(folder, socketName), resolve)
  })
  return server.unref()
}

/** Resolves also for one that does not listen, because its restoration failed. */
function closeServer(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()))
}

/** The ids of all producers with a folder in the spool, oldest first (UUID v7 sorts by time). */
export async function listProducers(spoolDir: string): Promise<string[]> {
  const entries = await readdir(spoolDir, { withFileTypes: true })
  return entries
    .filter(entry => entry.isDirectory() && producerPattern.test(entry.name))
    .map(entry => entry.name)
    .sort()
}

/**
 * `dead` only if the producer's process is certainly gone. `unknown`: the folder has no socket. Its producer has closed and
 * left sealed segments behind; or somebody has deleted the socket, and a living producer is about to make it again.
 */
export function stateOf(folder: string): Promise<'alive' | 'dead' | 'unknown'> {
  return new Promise(resolve => {
    const socket = connect(join(folder, socketName))
    const finish = (state: 'alive' | 'dead' | 'unknown') => {
      socket.destroy()
      resolve(state)
    }
    socket.setTimeout(connectDeadlineMs, () => finish('alive'))
    socket.once('connect', () => finish('alive'))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') finish('dead')
      else finish(error.code === 'ENOENT' ? 'unknown' : 'alive')
    })
  })
}

/** The segments of a folder, in the order of their numbers. Kept ones are recorded (kept-segments.ts). */
export async function listSegments(
  folder: string,
): Promise<{ seq: number; state: 'open' | 'sealed' | 'kept' }[]> {
  const names = await readdir(folder)
  return names
    .map(name => segmentPattern.exec(name))
    .filter(match => match !== null)
    .map(match => ({ seq: Number(match[1]), state: match[2] as 'open' | 'sealed' | 'kept' }))
    .sort((a, b) => a.seq - b.seq)
}

/** Removes the folder unless it holds a file besides the socket. */
export async function removeIfEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [socketName, 'gone'])
  if (names.every(name => name === socketName)) await rm(folder, { recursive: true, force: true })
}
