/** A spool full of visits that wait, as a process leaves it that answered them while no worker ran, and then died. */
import { openProducerFolder } from '../../apps/api/visits/producer-folder.ts'
import { createVisitSpool } from '../../apps/api/visits/visit-spool.ts'
import { drawVisits } from './draw-visits.ts'

const visitsPerAppend = 64
const distinctAppends = 1_000

/** The producer's socket is closed at the end: whoever comes next adopts the segments. */
export async function fillSpool(spoolDir: string, visits: number, links: number): Promise<void> {
  const folder = await openProducerFolder(spoolDir)
  let lastSeq = 0
  const spool = createVisitSpool({
    folder: folder.path,
    fsync: false,
    nextSeq: () => ++lastSeq,
    // As with a full window: segments grow to their maximum.
    hasRoom: () => false,
    onSealed: () => {},
  })
  const appends = Array.from({ length: distinctAppends }, () => drawVisits(visitsPerAppend, links))
  for (let written = 0, i = 0; written < visits; written += visitsPerAppend, i++) {
    await spool.append(appends[i % distinctAppends] ?? [])
    // Timers and the socket get their turn.
    if (i % 10_000 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  spool.seal()
  await folder.close()
}
