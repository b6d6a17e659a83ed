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
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import type { Deliverer } from '../delivery/deliver-batches.ts'
import {
  listProducers,
  listSegments,
  removeIfEmpty,
  segmentPath,
  startOf,
  stateOf,
} from '../producer-folder.ts'
import type { BatchSource, SealedBatch } from '../sealed-batch.ts'
import type { KeptBatch, KeptSegments } from './kept-segments.ts'
import { segmentBatch } from './segment-batch.ts'

/** A producer listens on its socket long before this after it has created its folder. */
const startsWithinMs = 60_000
/** A living producer makes a socket that somebody has deleted again within a second, unless the process is overloaded. */
const restoresWithinMs = 4_000

interface Adopted {
  producerId: string
  folder: string
  /** Numbers of the sealed segments that the deliverer has not taken yet. */
  seqs: number[]
  /** None of their visits is older than this (milliseconds since 1970). */
  notBefore: number
}

export interface Adoption {
  /** Looks for dead producers, and removes the folders of those that are done. Never throws. */
  sweep(): Promise<void>
  /** Takes segments of dead producers that were recorded, and are sealed again because the ledger has lost them. */
  offerAgain(batches: KeptBatch[]): void
  source: BatchSource
  /** Segments that wait to be delivered. */
  waiting(): number
  /** None of their visits is older than this (milliseconds since 1970); undefined: none waits. */
  firstWaitingAt(): number | undefined
  /** Every producer adopted, until its folder is removed. */
  states(): { producerId: string; waiting: number; firstWaitingAt: number | undefined }[]
  /** True if this producer is dead and has left no segment. */
  hasEnded(producerId: string): Promise<boolean>
}

export function createAdoption(options: {
  spoolDir: string
  ownProducerId: string
  deliverer: Pick<Deliverer, 'fill' | 'holds'>
  kept: Pick<KeptSegments, 'found' | 'keep'>
  log: Log
  onDamage: (ranges: number) => void
  /** Enters a batch as set aside: otherwise its absence would hold up the ledger's watermark for good. */
  onUnreadable: (id: BatchId) => Promise<unknown>
}): Adoption {
  const { spoolDir, ownProducerId, deliverer, kept, log, onDamage, onUnreadable } = options
  const adopted = new Map<string, Adopted>()
  /** When a folder whose producer may just be starting, or restoring its socket, was first seen so (performance.now()). */
  const doubtfulSince = new Map<string, number>()
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
    if (adopted.has(producerId)) return
    const producer = await stateOf(folder)
    if (producer === 'alive') {
      doubtfulSince.delete(producerId)
      return
    }
    const found = await listSegments(folder)
    const keptSeqs = found.filter(({ state }) => state === 'kept').map(({ seq }) => seq)
    kept.found(folder, producerId, keptSeqs)
    const segments = found.filter(({ state }) => state !== 'kept')
    if (segments.length === 0) {
      // Nothing to adopt: but the folder may be new, of a producer that does not listen on its socket yet.
      if (isDoubtful(producerId, startsWithinMs)) return
      await removeIfEmpty(folder)
      doubtfulSince.delete(producerId)
      return
    }
    // A producer that closed has sealed everything.
    const hasOpen = segments.some(({ state }) => state === 'open')
    if (producer === 'unknown' && hasOpen && isDoubtful(producerId, restoresWithinMs)) return
    doubtfulSince.delete(producerId)
    for (const { seq, state } of segments) {
      if (state === 'open')
        await rename(segmentPath(folder, seq, 'open'), segmentPath(folder, seq, 'sealed')).catch(ignoreAbsent)
    }
    const seqs = segments.map(segment => segment.seq)
    adopted.set(producerId, { producerId, folder, seqs, notBefore: startOf(producerId) })
    log.info({ producerId, segments: segments.length }, 'adopted the spool of a dead producer')
  }

  function isDoubtful(producerId: string, forMs: number): boolean {
    const since = doubtfulSince.get(producerId) ?? performance.now()
    doubtfulSince.set(producerId, since)
    return performance.now() - since < forMs
  }

  async function releaseIfDone(producerId: string): Promise<void> {
    const folder = adopted.get(producerId)
    if (folder === undefined || folder.seqs.length > 0 || deliverer.holds(producerId)) return
    adopted.delete(producerId)
    if ((await stateOf(folder.folder)) !== 'alive') await removeIfEmpty(folder.folder)
  }

  function offerAgain(batches: KeptBatch[]): void {
    for (const { producerId, folder, seq } of batches) {
      const known = adopted.get(producerId)
      if (known === undefined)
        adopted.set(producerId, { producerId, folder, seqs: [seq], notBefore: startOf(producerId) })
      else known.seqs.push(seq)
    }
  }

  function source(): SealedBatch | undefined {
    for (const producer of adopted.values()) {
      const { producerId, folder, seqs, notBefore } = producer
      const seq = seqs.shift()
      if (seq === undefined) continue
      return segmentBatch({
        id: { producerId, seq },
        folder,
        path: segmentPath(folder, seq, 'sealed'),
        log,
        onDamage,
        onUnreadable,
        kept,
        notBefore,
        onRead(firstVisitAt) {
          producer.notBefore = Math.max(producer.notBefore, firstVisitAt)
        },
      })
    }
    return undefined
  }

  function waiting(): number {
    let segments = 0
    for (const { seqs } of adopted.values()) segments += seqs.length
    return segments
  }

  const states: Adoption['states'] = () =>
    [...adopted.values()].map(({ producerId, seqs, notBefore }) => ({
      producerId,
      waiting: seqs.length,
      firstWaitingAt: seqs.length > 0 ? notBefore : undefined,
    }))

  function firstWaitingAt(): number | undefined {
    const times = states().flatMap(state => state.firstWaitingAt ?? [])
    return times.length > 0 ? Math.min(...times) : undefined
  }

  async function hasEnded(producerId: string): Promise<boolean> {
    const folder = join(spoolDir, producerId)
    if (deliverer.holds(producerId) || (await stateOf(folder)) === 'alive') return false
    const segments = await listSegments(folder).catch(ignoreAbsent)
    return segments === undefined || segments.every(({ state }) => state === 'kept')
  }

  return { sweep, offerAgain, source, waiting, firstWaitingAt, states, hasEnded }
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
