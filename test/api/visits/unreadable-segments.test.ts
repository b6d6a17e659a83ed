import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newProducerId, segmentPath } from '../../../apps/api/visits/producer-folder.ts'
import { encodeFrame } from '../../../apps/shared/visits/visit-batch.ts'
import { compactLedger } from '../../../apps/worker/maintenance/compact-ledger.ts'
import { openPool, shorten, startApi, startWorker, waitForVisits } from '../../support/hopcount.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

test('a dead producer’s segment in which no visit can be read is set aside, and holds up nothing', async () => {
  const installation = { databaseUrl: (await createTestDatabase()).url, spoolDir: temporaryFolder() }
  const pool = openPool(installation.databaseUrl)
  await startWorker(installation)
  const slug = await shorten((await startApi(installation)).origin)
  const { rows } = await pool.query<{ id: number }>('SELECT id FROM links')
  const linkId = Number(rows[0]?.id)

  const producerId = newProducerId()
  const folder = join(installation.spoolDir, producerId)
  mkdirSync(folder)
  const visits = [{ linkId, referrer: undefined, userAgent: undefined }]
  const frame = Buffer.from(encodeFrame(visits, Date.now(), new Map()))
  const damaged = Buffer.from(frame)
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
  writeFileSync(segmentPath(folder, 1, 'sealed'), damaged)
  writeFileSync(segmentPath(folder, 2, 'sealed'), frame)
  const { origin } = await startApi(installation)

  await waitForVisits(origin, slug, 1)
  const aside = () =>
    pool.query('SELECT seq, reason FROM set_aside_batches WHERE producer_id = $1', [producerId])
  await waitUntil(async () => (await aside()).rowCount === 1, { what: 'the segment is set aside' })
  expect((await aside()).rows).toMatchObject([
    { seq: 1, reason: expect.stringContaining('no visit can be read') },
  ])
  await compactLedger(pool, { passAfterSeconds: -1 })
  const watermarks = await pool.query('SELECT seq FROM ledger_watermarks WHERE producer_id = $1', [
    producerId,
  ])
  expect(watermarks.rows).toEqual([{ seq: 2 }])
  expect(readdirSync(folder)).toContain('000000000001.damaged')
})
