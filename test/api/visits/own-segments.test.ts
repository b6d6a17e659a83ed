import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { newProducerId } from '../../../apps/api/visits/producer-folder.ts'
import type { SealedBatch } from '../../../apps/api/visits/sealed-batch.ts'
import { createOwnSegments } from '../../../apps/api/visits/segments/own-segments.ts'
import { createVisitSpool } from '../../../apps/api/visits/visit-spool.ts'
import { openLog } from '../../../apps/shared/log.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

function startSpool() {
  const path = temporaryFolder()
  const producerId = newProducerId()
  const delivered: SealedBatch[] = []
  let lastSeq = 0
  const own = createOwnSegments({
    folder: { producerId, path },
    deliverer: { hasRoom: () => false, deliver: batch => delivered.push(batch) },
    kept: { keep: async () => {} },
    log: openLog({ name: 'test', level: 'silent' }),
    onDamage: () => {},
  })
  const spool = createVisitSpool({
    folder: path,
    fsync: false,
    nextSeq: () => ++lastSeq,
    hasRoom: () => false,
    onSealed: own.add,
    sealAfterMs: 600_000,
  })
  return { path, producerId, delivered, own, spool }
}

const visit = { linkId: 1, referrer: undefined, userAgent: undefined }
const bufferOf = (bytes: number) => Buffer.alloc(bytes)

test('an open segment whose file is deleted is delivered from memory, as often as needed, even beyond the window', async () => {
  const { path, producerId, delivered, own, spool } = startSpool()
  await spool.append([visit, visit])
  rmSync(path, { recursive: true })
  spool.seal()
  expect(own.waiting()).toBe(0)
  expect(delivered).toMatchObject([{ producerId, seq: 1, visits: 2, redirected: 2 }])
  for (let attempt = 0; attempt < 2; attempt++)
    expect(await delivered[0]?.load(bufferOf)).toMatchObject({ visits: 2 })
})

test('a waiting segment whose file is deleted is found missing, with the number of its visits', async () => {
  const { path, delivered, own, spool } = startSpool()
  await spool.append([visit])
  spool.seal()
  await spool.append([visit, visit, visit])
  spool.seal()
  expect(delivered).toEqual([])
  expect(own.waiting()).toBe(2)
  rmSync(path, { recursive: true })
  for (const redirected of [1, 3]) {
    const batch = own.source()
    expect(batch).toMatchObject({ redirected })
    expect(await batch?.load(bufferOf)).toBeUndefined()
  }
  expect(own.source()).toBeUndefined()
})
