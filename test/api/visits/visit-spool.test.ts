import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { SealedSegment } from '../../../apps/api/visits/visit-spool.ts'
import { createVisitSpool } from '../../../apps/api/visits/visit-spool.ts'
import { decodeBatch } from '../../../apps/shared/visits/decode-batch.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { waitUntil } from '../../support/wait-until.ts'

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

test('a segment is sealed soon after a pause, and not so soon after another one', async () => {
  const sealed: SealedSegment[] = []
  let lastSeq = 0
  const spool = createVisitSpool({
    folder: temporaryFolder(),
    fsync: false,
    nextSeq: () => ++lastSeq,
    onSealed: segment => sealed.push(segment),
    hasRoom: () => true,
    sealAfterMs: 5,
    sealEveryMs: 600_000,
    maxSegmentVisits: 3,
  })
  const visit = { linkId: 7, referrer: undefined, userAgent: 'ua' }
  await spool.append([visit])
  await waitUntil(() => sealed.length === 1, { what: 'the first segment is sealed' })
  await spool.append([visit])
  await sleep(50)
  await spool.append([visit])
  expect(sealed).toHaveLength(1)
  // A full one is not kept waiting.
  await spool.append([visit])
  expect(sealed.map(({ visits }) => visits)).toEqual([1, 3])
})

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
