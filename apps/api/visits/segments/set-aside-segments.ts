/**
 * Segments that were set aside: how many there are in the spool, and those that `npm run queue retry` has put back
 * (`.retry`). Any process may deliver these, also from the folder of a living producer: they are sealed. Several that do
 * deliver the same bytes under the same id.
 */
import { dirname } from 'node:path'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { SetAsideFile } from '@hopcount/shared/visits/set-aside-files.ts'
import { listSetAsideFiles } from '@hopcount/shared/visits/set-aside-files.ts'
import type { Deliverer } from '../delivery/deliver-batches.ts'
import type { BatchSource, SealedBatch } from '../sealed-batch.ts'
import type { KeptSegments } from './kept-segments.ts'
import { segmentBatch } from './segment-batch.ts'

export interface SetAsideSegments {
  /** Looks through the spool. Never throws. */
  sweep(): Promise<void>
  source: BatchSource
  /** At the last sweep: segments that a worker refused, and damaged ones of which the sound visits were delivered. */
  counts(): { aside: number; damaged: number }
}

export function createSetAsideSegments(options: {
  spoolDir: string
  deliverer: Pick<Deliverer, 'fill'>
  kept: Pick<KeptSegments, 'keep'>
  log: Log
  onDamage: (ranges: number) => void
}): SetAsideSegments {
  const { spoolDir, deliverer, kept, log, onDamage } = options
  const health = createHealthLog(log, 'looking for segments that were set aside')
  let putBack: SetAsideFile[] = []
  let counts = { aside: 0, damaged: 0 }

  async function sweep(): Promise<void> {
    try {
      const files = await listSetAsideFiles(spoolDir)
      const inState = (state: SetAsideFile['state']) => files.filter(file => file.state === state)
      counts = { aside: inState('aside').length, damaged: inState('damaged').length }
      // The deliverer ignores those that it has already.
      putBack = inState('retry')
      health.works()
    } catch (error) {
      health.fails(error)
    }
    deliverer.fill()
  }

  function source(): SealedBatch | undefined {
    const file = putBack.shift()
    if (file === undefined) return undefined
    const { producerId, seq, path } = file
    return segmentBatch({
      id: { producerId, seq },
      folder: dirname(path),
      path,
      log,
      onDamage,
      kept,
      isRetried: true,
    })
  }

  return { sweep, source, counts: () => counts }
}
