/**
 * A producer's folder in the spool: SPOOL_DIR/<producer id>/, with its segments and a listening unix socket.
 *
 * The socket tells whether the producer is alive: the kernel refuses connections to it once its process is gone, and
 * only then. A stopped process (SIGSTOP) still has a listening socket, so nobody adopts its open segment. The folder is
 * created first, then the socket, then segments; so a folder with segments and no listening socket is a dead producer's.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { v7 } from 'uuid'

export interface ProducerFolder {
  producerId: string
  path: string
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
  await mkdir(path, { recursive: true })
  const server = createServer(socket => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(join(path, socketName), resolve)
  })
  server.unref()
  return {
    producerId,
    path,
    async close() {
      await new Promise<void>(resolve => server.close(() => resolve()))
      await removeIfEmpty(path)
    },
  }
}

/** The ids of all producers with a folder in the spool, oldest first (UUID v7 sorts by time). */
export async function listProducers(spoolDir: string): Promise<string[]> {
  const entries = await readdir(spoolDir, { withFileTypes: true })
  return entries
    .filter(entry => entry.isDirectory() && producerPattern.test(entry.name))
    .map(entry => entry.name)
    .sort()
}

/** False only if the producer's process is certainly gone. */
export function isProducerAlive(folder: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(join(folder, socketName))
    const finish = (alive: boolean) => {
      socket.destroy()
      resolve(alive)
    }
    socket.setTimeout(connectDeadlineMs, () => finish(true))
    socket.once('connect', () => finish(true))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      finish(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    )
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

export function segmentPath(
  folder: string,
  seq: number,
  state: 'open' | 'sealed' | 'kept' | 'aside' | 'damaged',
): string {
  return join(folder, `${String(seq).padStart(12, '0')}.${state}`)
}

/** Removes the folder unless it holds a file besides the socket. */
export async function removeIfEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [socketName, 'gone'])
  if (names.every(name => name === socketName)) await rm(folder, { recursive: true, force: true })
}
