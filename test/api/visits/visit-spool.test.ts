import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { SealedSegment } from '../../../apps/api/visits/visit-spool.ts'
import { createVisitSpool } from '../../../apps/api/visits/visit-spool.ts'
import { decodeBatch } from '../../../apps/shared/visits/decode-batch.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

function openSpool(fsync: boolean) {
  const sealed: SealedSegment[] = []
  const folder = temporaryFolder()
  let lastSeq = 0
  const spool = createVisitSpool({
    folder,
    fsync,
    nextSeq: () => ++lastSeq,
    onSealed: segment => sealed.push(segment),
    hasRoom: () => true,
    // The tests seal the segments themselves.
    sealAfterMs: 600_000,
  })
  return { spool, sealed, folder }
}

/** All texts differ: the frames have all sizes and together exceed a spool's initial memory. */
const groups = (segment: number) =>
  Array.from({ length: 40 }, (_, group) =>
    Array.from({ length: 1 + ((group * 7) % 30) }, (_, i) => ({
      linkId: 1_000 * segment + group,
      referrer: `http://r.test/${segment}/${group}/${i}${'x'.repeat(group * 5)}`,
      userAgent: undefined,
    })),
  )

test.each([false, true])(
  'a sealed segment is passed on exactly as in its file, even while others are written (fsync: %s)',
  async fsync => {
    const { spool, sealed } = openSpool(fsync)
    for (const segment of [1, 2, 3]) {
      for (const visits of groups(segment)) await spool.append(visits)
      spool.seal()
    }
    expect(sealed.map(({ seq }) => seq)).toEqual([1, 2, 3])
    for (const { seq, path, frames, visits } of sealed) {
      const expected = groups(seq).flat()
      expect(frames.length).toBeGreaterThan(64 * 1_024)
      expect(frames.equals(readFileSync(path))).toBe(true)
      expect(visits).toBe(expected.length)
      expect(decodeBatch(frames)).toMatchObject({ visits: expected, soundBytes: frames.length, damaged: [] })
    }
  },
)

test('a segment without visits is never sealed; one with visits is a single file', async () => {
  const { spool, sealed, folder } = openSpool(false)
  spool.seal()
  expect(sealed).toEqual([])
  await spool.append([{ linkId: 7, referrer: undefined, userAgent: 'ua' }])
  expect(spool.unsealed().visits).toBe(1)
  spool.seal()
  expect(spool.unsealed()).toEqual({ visits: 0, firstVisitAt: undefined })
  expect(readdirSync(folder)).toHaveLength(1)
})
