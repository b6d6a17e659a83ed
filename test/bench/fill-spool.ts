/** A spool full of waiting visits, as left by a process that died after redirecting while no worker ran. */
import { openProducerFolder } from '../../apps/api/visits/producer-folder.ts'
import { createVisitSpool } from '../../apps/api/visits/visit-spool.ts'
import { drawVisits } from './draw-visits.ts'

const visitsPerAppend = 64
const distinctAppends = 1_000

/** The producer's socket is closed at the end, so the next process adopts the segments. */
export async function fillSpool(spoolDir: string, visits: number, links: number): Promise<void> {
  const folder = await openProducerFolder(spoolDir)
  let lastSeq = 0
  const spool = createVisitSpool({
    folder: folder.path,
    fsync: false,
    nextSeq: () => ++lastSeq,
    // As when the window is full: segments grow to their maximum size.
    hasRoom: () => false,
    onSealed: () => {},
  })
  const appends = Array.from({ length: distinctAppends }, () => drawVisits(visitsPerAppend, links))
  for (let written = 0, i = 0; written < visits; written += visitsPerAppend, i++) {
    await spool.append(appends[i % distinctAppends] ?? [])
    // Yield to timers and the socket.
    if (i % 10_000 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  spool.seal()
  await folder.close()
}
