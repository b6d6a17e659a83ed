import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createBatchPacker } from '../../../apps/api/visits/delivery/pack-batches.ts'
import { segmentBatch } from '../../../apps/api/visits/segments/segment-batch.ts'
import { openLog } from '../../../apps/shared/log.ts'
import { packFrames, unpackFrames } from '../../../apps/shared/visits/pack-frames.ts'
import { encodeFrame } from '../../../apps/shared/visits/visit-batch.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

test('segments of all sizes packed at the same time do not overwrite each other', async () => {
  const folder = temporaryFolder()
  // About 20 bytes per visit: from a single visit to more than the reused buffer holds.
  const segments = [1, 9_000, 30_000, 300, 2].map((visits, seq) => {
    const path = join(folder, `${seq}.sealed`)
    const frames = encodeFrame(
      Array.from({ length: visits }, (_, i) => ({
        linkId: seq * 100_000 + i,
        referrer: undefined,
        userAgent: undefined,
        address: '203.0.113.77',
      })),
      Date.now(),
      new Map(),
    )
    writeFileSync(path, frames)
    const id = { producerId: 'p', seq }
    return {
      visits,
      frames,
      batch: segmentBatch({
        id,
        folder,
        path,
        log: openLog({ name: 'test', level: 'silent' }),
        onDamage: () => {},
        kept: { keep: async () => rmSync(path) },
      }),
    }
  })
  expect(segments[2]?.frames.length).toBeGreaterThan(512 * 1024)
  const pack = createBatchPacker(frames => packFrames(frames))

  const packed = await Promise.all(segments.map(({ batch }) => pack(batch)))
  for (const [i, { visits, frames, batch }] of segments.entries()) {
    expect(unpackFrames(packed[i] ?? '')?.equals(frames)).toBe(true)
    expect(batch.visits).toBe(visits)
  }

  await segments[0]?.batch.discard('')
  expect(await Promise.all(segments.slice(0, 2).map(({ batch }) => pack(batch)))).toEqual([
    undefined,
    packed[1],
  ])
})
