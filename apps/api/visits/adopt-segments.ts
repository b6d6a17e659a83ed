/**
 * Adopts the segments of dead producers, at start and then every few seconds, because a sibling may die at any time.
 *
 * An open segment of a dead producer is sealed as it is. Two processes may adopt the same folder: they send the same
 * batches under the same ids, and the ledger counts each of them once.
 */
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { Deliverer } from './deliver-batches.ts'
import {
  isProducerAlive,
  listProducers,
  listSegments,
  removeIfEmpty,
  segmentPath,
} from './producer-folder.ts'
import type { BatchSource, SealedBatch } from './sealed-batch.ts'
import { segmentBatch } from './segment-batch.ts'

/** A producer listens on its socket long before this after it has created its folder. */
const startsWithinMs = 60_000

interface Adopted {
  producerId: string
  folder: string
  /** Numbers of the sealed segments that the deliverer has not taken yet. */
  seqs: number[]
}

export interface Adoption {
  /** Looks for dead producers, and removes the folders of those that are done. Never throws. */
  sweep(): Promise<void>
  source: BatchSource
  /** Segments that wait to be delivered. */
  waiting(): number
}

export function createAdoption(options: {
  spoolDir: string
  ownProducerId: string
  deliverer: Pick<Deliverer, 'fill' | 'holds'>
  log: Log
  onDamage: (ranges: number) => void
}): Adoption {
  const { spoolDir, ownProducerId, deliverer, log, onDamage } = options
  const adopted = new Map<string, Adopted>()
  /** When a folder without a producer and without segments was first seen (performance.now()). */
  const emptySince = new Map<string, number>()
  const health = createHealthLog(log, 'looking for spool folders to adopt')

  async function sweep(): Promise<void> {
    try {
      for (const producerId of await listProducers(spoolDir)) {
        if (producerId === ownProducerId) continue
        await adoptIfDead(producerId)
      }
      for (const producerId of adopted.keys()) await releaseIfDone(producerId)
      health.works()
    } catch (error) {
      health.fails(error)
    }
    deliverer.fill()
  }

  async function adoptIfDead(producerId: string): Promise<void> {
    const folder = join(spoolDir, producerId)
    if (adopted.has(producerId) || (await isProducerAlive(folder))) return
    const segments = await listSegments(folder)
    if (segments.length === 0) {
      await removeWhenOld(producerId, folder)
      return
    }
    emptySince.delete(producerId)
    for (const { seq, open } of segments) {
      if (open)
        await rename(segmentPath(folder, seq, 'open'), segmentPath(folder, seq, 'sealed')).catch(ignoreAbsent)
    }
    adopted.set(producerId, { producerId, folder, seqs: segments.map(segment => segment.seq) })
    log.info({ producerId, segments: segments.length }, 'adopted the spool of a dead producer')
  }

  /** Nothing to adopt: but the folder may be new, of a producer that does not listen on its socket yet. */
  async function removeWhenOld(producerId: string, folder: string): Promise<void> {
    const since = emptySince.get(producerId) ?? performance.now()
    emptySince.set(producerId, since)
    if (performance.now() - since < startsWithinMs) return
    await removeIfEmpty(folder)
    emptySince.delete(producerId)
  }

  async function releaseIfDone(producerId: string): Promise<void> {
    const folder = adopted.get(producerId)
    if (folder === undefined || folder.seqs.length > 0 || deliverer.holds(producerId)) return
    adopted.delete(producerId)
    await removeIfEmpty(folder.folder)
  }

  function source(): SealedBatch | undefined {
    for (const { producerId, folder, seqs } of adopted.values()) {
      const seq = seqs.shift()
      if (seq === undefined) continue
      return segmentBatch({
        id: { producerId, seq },
        folder,
        path: segmentPath(folder, seq, 'sealed'),
        log,
        onDamage,
      })
    }
    return undefined
  }

  function waiting(): number {
    let segments = 0
    for (const { seqs } of adopted.values()) segments += seqs.length
    return segments
  }

  return { sweep, source, waiting }
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
