/** Segments are kept after they are recorded, and delivered again when the database turns out to have lost them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { beforeEach, expect, test } from 'vitest'
import { newProducerId, segmentPath } from '../../../apps/api/visits/producer-folder.ts'
import type { KeptBatch, KeptSegments } from '../../../apps/api/visits/segments/kept-segments.ts'
import { createKeptSegments } from '../../../apps/api/visits/segments/kept-segments.ts'
import { voidLostBatches } from '../../../apps/api/visits/void-lost-batches.ts'
import type { DatabaseWatch } from '../../../apps/api/watch-database.ts'
import { watchDatabase } from '../../../apps/api/watch-database.ts'
import { beginEpoch } from '../../../apps/shared/database/database-epoch.ts'
import { openLog } from '../../../apps/shared/log.ts'
import { cleanUpLater } from '../../support/clean-up.ts'
import { openPool } from '../../support/hopcount.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

const log = openLog({ name: 'test', level: 'silent' })
const hourMs = 3_600_000

let pool: Pool
let watch: DatabaseWatch
let producerId: string
let folder: string
let missing: number[]
let checks: number

beforeEach(async () => {
  pool = openPool((await createTestDatabase()).url)
  watch = await watchDatabase(pool, log)
  cleanUpLater(watch.close)
  producerId = newProducerId()
  folder = join(temporaryFolder(), producerId)
  mkdirSync(folder)
  missing = []
  checks = 0
})

function open({ keepMs = hourMs, maxBytes = 1024 * 1024 } = {}): KeptSegments {
  const kept = createKeptSegments({
    keepMs,
    maxBytes,
    pool,
    watch,
    onChecked: () => checks++,
    onMissing: batches => missing.push(...batches.map(({ seq }) => seq)),
    log,
  })
  watch.onEpoch(kept.doubt)
  cleanUpLater(kept.close)
  return kept
}

function batch(seq: number): KeptBatch {
  return { producerId, seq, folder, bytes: 100, visits: 1, firstVisitAt: 1 }
}

/** Seals and records segments, and hands them over. */
async function keepRecorded(kept: KeptSegments, ...seqs: number[]): Promise<void> {
  for (const seq of seqs) {
    const path = segmentPath(folder, seq, 'sealed')
    writeFileSync(path, `segment ${seq}`.padEnd(100))
    await pool.query('INSERT INTO ledger (producer_id, seq, counted) VALUES ($1, $2, 1)', [producerId, seq])
    await kept.keep(batch(seq), watch.epoch(), { path })
  }
}

const loseBatches = (from: number) => pool.query('DELETE FROM ledger WHERE seq >= $1', [from])

const files = () => readdirSync(folder).sort()
const named = (state: string, ...seqs: number[]) =>
  seqs.map(seq => `${String(seq).padStart(12, '0')}.${state}`)

test('a segment stays under another name after it is recorded, and goes when its time is over', async () => {
  await keepRecorded(open({ keepMs: 2_000 }), 1, 2)
  expect(files()).toEqual(named('kept', 1, 2))
  await waitUntil(() => files().length === 0, { what: 'the segments are deleted' })
  expect(missing).toEqual([])
})

test('with nothing to be kept, a recorded segment is deleted at once', async () => {
  const kept = open({ keepMs: 0 })
  await keepRecorded(kept, 1)
  expect(files()).toEqual([])
  expect(kept.count()).toBe(0)
})

test('in a new epoch, what the ledger has lost is sealed again, and the rest is kept', async () => {
  const kept = open()
  await keepRecorded(kept, 1, 2, 3, 4)
  await loseBatches(3)
  await beginEpoch(pool, watch.epoch())
  await waitUntil(() => missing.length === 2, { what: 'the lost batches are offered' })
  expect(missing).toEqual([3, 4])
  expect(files()).toEqual([...named('kept', 1, 2), ...named('sealed', 3, 4)])
  expect(readFileSync(segmentPath(folder, 3, 'sealed'), 'utf8').trim()).toBe('segment 3')
  // Recorded again: kept, and found again when lost again.
  await keepRecorded(kept, 3, 4)
  await loseBatches(4)
  await beginEpoch(pool, watch.epoch())
  await waitUntil(() => missing.length === 3, { what: 'the batch that is lost again is offered again' })
  expect(missing).toEqual([3, 4, 4])
})

test('what a watermark covered before the loss, and a lower one does not, is offered again', async () => {
  const kept = open()
  await keepRecorded(kept, 1, 2, 3)
  await pool.query('DELETE FROM ledger')
  await pool.query('INSERT INTO ledger_watermarks (producer_id, seq, visits) VALUES ($1, 2, 2)', [producerId])
  await beginEpoch(pool, watch.epoch())
  await waitUntil(() => missing.length > 0, { what: 'the batch above the watermark is offered' })
  expect(missing).toEqual([3])
})

test('a batch confirmed by the former database after the epoch has changed is asked for again', async () => {
  const kept = open()
  const former = watch.epoch()
  await beginEpoch(pool, former)
  await watch.check()
  const path = segmentPath(folder, 1, 'sealed')
  writeFileSync(path, 'segment 1')
  await kept.keep(batch(1), former, { path })
  await waitUntil(() => missing.length === 1, { what: 'the batch is offered' })
  expect(files()).toEqual(named('sealed', 1))
})

test('a loss that shows only when a segment is about to go begins a new epoch', async () => {
  const kept = open({ keepMs: 3_000 })
  await keepRecorded(kept, 1, 2)
  const former = watch.epoch()
  await loseBatches(2)
  await waitUntil(() => missing.length === 1, { what: 'the lost batch is offered' })
  expect(missing).toEqual([2])
  expect(watch.epoch()).not.toBe(former)
})

test('a restarted process finds what a dead producer has kept, and offers what the database has lost meanwhile', async () => {
  const first = open()
  await keepRecorded(first, 1, 2)
  first.close()
  await loseBatches(2)
  const second = open({ keepMs: 3_000 })
  second.found(folder, producerId, [1, 2])
  second.found(folder, producerId, [1, 2])
  expect(second.count()).toBe(2)
  await waitUntil(() => missing.length === 1, { what: 'the lost batch is offered' })
  expect(files()).toEqual([...named('kept', 1), ...named('sealed', 2)])
  await waitUntil(() => !existsSync(segmentPath(folder, 1, 'kept')), { what: 'the other one goes in time' })
})

test('kept segments take no more room than they may: the oldest go first', async () => {
  const kept = open({ maxBytes: 350 })
  await keepRecorded(kept, 1, 2, 3, 4, 5)
  await waitUntil(() => files().length <= 3, { what: 'the oldest are deleted' })
  expect(files()).toEqual(named('kept', 3, 4, 5))
})

test('where the spool has no room, kept segments make some', async () => {
  const kept = open()
  await keepRecorded(kept, 1, 2)
  kept.giveUp()
  await waitUntil(() => files().length === 0, { what: 'all are deleted' })
  expect(kept.count()).toBe(0)
})

test('a batch that never had a file is kept as one', async () => {
  const kept = open()
  await kept.keep(batch(1), watch.epoch(), { frames: Buffer.from('frames') })
  expect(readFileSync(segmentPath(folder, 1, 'kept'), 'utf8')).toBe('frames')
  await waitUntil(() => missing.length === 0 && files().length === 1, { what: 'it is there' })
})

test('what neither the ledger nor the spool has any more becomes void, and the watermark passes it', async () => {
  const kept = open()
  await keepRecorded(kept, 5, 6)
  await pool.query('INSERT INTO ledger_watermarks (producer_id, seq, visits) VALUES ($1, 2, 2)', [producerId])
  await pool.query(
    `INSERT INTO set_aside_batches (producer_id, seq, reason) VALUES ($1, 3, 'for an operator')`,
    [producerId],
  )
  await beginEpoch(pool, watch.epoch())
  await waitUntil(() => checks > 0, { what: 'the kept segments are checked' })
  writeFileSync(segmentPath(folder, 1, 'aside'), '')
  const below = 7
  for (let time = 0; time < 2; time++)
    await voidLostBatches({ pool, folder: { producerId, path: folder }, below, log })
  const { rows } = await pool.query('SELECT seq, counted FROM ledger ORDER BY seq')
  expect(rows).toEqual([
    { seq: 4, counted: 0 },
    { seq: 5, counted: 1 },
    { seq: 6, counted: 1 },
  ])
})
