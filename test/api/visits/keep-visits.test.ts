/** What happens to a visit: every outcome listed in keep-visits.ts, with a real spool, queue and ledger. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import type { Pool } from 'pg'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { BatchNumbers } from '../../../apps/api/visits/batch-numbers.ts'
import { createBatchNumbers } from '../../../apps/api/visits/batch-numbers.ts'
import type { Deliverer } from '../../../apps/api/visits/delivery/deliver-batches.ts'
import { createDeliverer } from '../../../apps/api/visits/delivery/deliver-batches.ts'
import type { KeepVisits, VisitDurability } from '../../../apps/api/visits/keep-visits.ts'
import { createVisitKeeper, VisitRefused, VisitUncertain } from '../../../apps/api/visits/keep-visits.ts'
import { newProducerId } from '../../../apps/api/visits/producer-folder.ts'
import { createOwnSegments } from '../../../apps/api/visits/segments/own-segments.ts'
import { createVisitSpool } from '../../../apps/api/visits/visit-spool.ts'
import { openLog } from '../../../apps/shared/log.ts'
import { batchKey } from '../../../apps/shared/visits/visit-batch.ts'
import type { VisitQueue } from '../../../apps/shared/visits/visit-queue.ts'
import { openVisitQueue } from '../../../apps/shared/visits/visit-queue.ts'
import { cleanUpLater } from '../../support/clean-up.ts'
import { openPool, startWorker } from '../../support/hopcount.ts'
import { redisAvailable, startRedis } from '../../support/redis.ts'
import { epochOf } from '../../support/settled-epoch.ts'
import type { TcpProxy } from '../../support/tcp-proxy.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

const log = openLog({ name: 'test', level: 'silent' })
const visits = [1, 2].map(linkId => ({ linkId, referrer: undefined, userAgent: undefined }))

describe.skipIf(!redisAvailable())('the visits of one event-loop turn', { timeout: 120_000 }, () => {
  let databaseUrl: string
  let redisUrl: string
  let pool: Pool
  let watch: Awaited<ReturnType<typeof epochOf>>
  let toRedis: TcpProxy
  let toPostgres: TcpProxy
  let queue: VisitQueue
  let folder: string
  let producerId: string
  let numbers: BatchNumbers
  let deliverer: Deliverer
  let counters: { kept: number; countedAtOnce: number; refused: number; lost: number }

  beforeAll(async () => {
    const redis = await startRedis()
    redisUrl = redis.url
    databaseUrl = (await createTestDatabase()).url
    pool = openPool(databaseUrl)
    watch = await epochOf(pool)
    toRedis = await startTcpProxy({ port: redis.port })
    toPostgres = await startTcpProxy({ port: Number(new URL(databaseUrl).port) })
    queue = openVisitQueue({ redisUrl: `redis://127.0.0.1:${toRedis.port}`, databaseUrl }, log)
    cleanUpLater(async () => {
      await heal()
      await queue.close()
    })
  })

  beforeEach(async () => {
    await heal()
    counters = { kept: 0, countedAtOnce: 0, refused: 0, lost: 0 }
    folder = temporaryFolder()
    producerId = newProducerId()
    numbers = createBatchNumbers()
  })

  async function heal(): Promise<void> {
    toPostgres.setMode('pass')
    toRedis.cutConnections()
    toRedis.setMode('pass')
    await queue.ready()
  }

  function openKeeper({
    allowLoss = false,
    durability = 'spool',
    onAdd = () => {},
  }: {
    allowLoss?: boolean
    durability?: VisitDurability
    onAdd?: () => void
  } = {}): KeepVisits {
    const throughProxy = new URL(databaseUrl)
    throughProxy.port = String(toPostgres.port)
    const proxiedPool = openPool(throughProxy.href)
    deliverer = createDeliverer({ queue, pool: proxiedPool, watch, log, onExit: () => {} })
    cleanUpLater(() => deliverer.stop(0))
    const own = createOwnSegments({
      folder: { producerId, path: folder },
      deliverer,
      kept: { keep: async () => {} },
      log,
      onDamage: () => {},
    })
    const spool = createVisitSpool({
      folder,
      fsync: false,
      nextSeq: numbers.next,
      hasRoom: deliverer.hasRoom,
      onSealed: () => {},
      sealAfterMs: 600_000,
    })
    return createVisitKeeper({
      folder: { producerId, path: folder },
      numbers,
      spool,
      queue: {
        pack: queue.pack,
        add(job) {
          onAdd()
          return queue.add(job)
        },
        addDurably: queue.addDurably,
      },
      deliverer,
      kept: { keep: async () => {}, giveUp: () => {} },
      durability,
      fsync: false,
      own,
      pool: proxiedPool,
      allowLoss,
      restoreSpool: async () => false,
      counters,
      log,
    })
  }

  const breakSpool = () => rmSync(folder, { recursive: true })

  /** Commands are refused before they are sent. */
  async function breakQueue(): Promise<void> {
    toRedis.setMode('reset')
    await waitUntil(
      () =>
        queue.add({ producerId: newProducerId(), seq: 1, frames: '' }).then(
          () => false,
          error => error.constructor.name === 'QueueNotReached',
        ),
      { what: 'the queue is disconnected' },
    )
  }

  async function ledgerRows(): Promise<{ seq: number; counted: number }[]> {
    const { rows } = await pool.query('SELECT seq, counted FROM ledger WHERE producer_id = $1', [producerId])
    return rows
  }

  test('are kept by the spool without a promise', async () => {
    const keep = openKeeper()
    await breakQueue()
    expect(keep(visits)).toEqual([])
    expect(counters).toEqual({ kept: 2, countedAtOnce: 0, refused: 0, lost: 0 })
  })

  test('are kept by the queue while the spool is not writable, and by the spool once it is again', async () => {
    const keep = openKeeper()
    breakSpool()
    await keep(visits)
    expect(counters.kept).toBe(2)
    // The spool took number 1 for a file that it could not create.
    expect(await queue.find(batchKey({ producerId, seq: 2 }))).toBeDefined()
    expect(deliverer.pending()).toMatchObject({ batches: 1, visits: 2 })
    mkdirSync(folder)
    await waitUntil(() => !(keep(visits) instanceof Promise), { what: 'the spool is written', everyMs: 100 })
  })

  test('are refused while neither accepts them, and leave no gap in the numbers', async () => {
    const keep = openKeeper()
    breakSpool()
    await breakQueue()
    for (let i = 0; i < 3; i++) await expect(keep(visits)).rejects.toThrow(VisitRefused)
    expect(counters).toEqual({ kept: 0, countedAtOnce: 0, refused: 6, lost: 0 })
    // Number 1 belongs to the spool, which uses it once it can create a file.
    expect(numbers.next()).toBe(2)
  })

  test('are void, not a gap, if later numbers were taken before they were refused', async () => {
    let later = 0
    const keep = openKeeper({
      onAdd: () => {
        later = numbers.next()
      },
    })
    breakSpool()
    await breakQueue()
    await expect(keep(visits)).rejects.toThrow(VisitRefused)
    await waitUntil(async () => (await ledgerRows()).length > 0, { what: 'the ledger has the number' })
    expect(await ledgerRows()).toEqual([{ seq: later - 1, counted: 0 }])
  })

  test('are lost, and counted as lost, with VISIT_LOSS=allow', async () => {
    const keep = openKeeper({ allowLoss: true })
    breakSpool()
    await breakQueue()
    await keep(visits)
    expect(counters).toEqual({ kept: 0, countedAtOnce: 0, refused: 0, lost: 2 })
  })

  test('are refused if the queue’s reply is lost and the ledger voids them', async () => {
    const keep = openKeeper()
    breakSpool()
    toRedis.setMode('drop-replies')
    await expect(keep(visits)).rejects.toThrow(VisitRefused)
    expect(counters.refused).toBe(2)
    expect(await ledgerRows()).toMatchObject([{ counted: 0 }])
  })

  test('have an unknown fate if the ledger is unavailable too, and are void afterwards', async () => {
    const keep = openKeeper()
    breakSpool()
    toRedis.setMode('drop-replies')
    toPostgres.setMode('reset')
    await expect(keep(visits)).rejects.toThrow(VisitUncertain)
    expect(counters).toEqual({ kept: 0, countedAtOnce: 0, refused: 0, lost: 0 })
    toPostgres.setMode('pass')
    await waitUntil(async () => (await ledgerRows()).length > 0, { what: 'the ledger takes them as void' })
    expect(await ledgerRows()).toMatchObject([{ counted: 0 }])
  })

  test('count as lost if their fate is unknown and VISIT_LOSS=allow', async () => {
    const keep = openKeeper({ allowLoss: true })
    breakSpool()
    toRedis.setMode('drop-replies')
    toPostgres.setMode('reset')
    await keep(visits)
    expect(counters).toEqual({ kept: 0, countedAtOnce: 0, refused: 0, lost: 2 })
  })

  test('with VISIT_DURABILITY=both are in the queue and in the spool', async () => {
    const keep = openKeeper({ durability: 'both' })
    await keep(visits)
    expect(counters.kept).toBe(2)
    expect(await queue.find(batchKey({ producerId, seq: 1 }))).toBeDefined()
    expect(readdirSync(folder)).toEqual(['000000000001.sealed'])
    expect(deliverer.pending()).toMatchObject({ batches: 1, visits: 2 })
  })

  test.each(['queue', 'both'] as const)(
    'with VISIT_DURABILITY=%s are refused while the queue is away, and leave neither file nor gap',
    async durability => {
      const keep = openKeeper({ durability })
      await breakQueue()
      for (let i = 0; i < 3; i++) await expect(keep(visits)).rejects.toThrow(VisitRefused)
      expect(counters).toEqual({ kept: 0, countedAtOnce: 0, refused: 6, lost: 0 })
      expect(readdirSync(folder)).toEqual([])
      expect(numbers.next()).toBe(1)
    },
  )

  test('with VISIT_DURABILITY=queue do not need the spool', async () => {
    const keep = openKeeper({ durability: 'queue' })
    breakSpool()
    await keep(visits)
    expect(counters.kept).toBe(2)
    expect(await queue.find(batchKey({ producerId, seq: 1 }))).toBeDefined()
    expect(deliverer.pending()).toMatchObject({ batches: 1, visits: 2 })
  })

  test('with VISIT_DURABILITY=both are refused if the spool can not be written', async () => {
    const keep = openKeeper({ durability: 'both' })
    breakSpool()
    await expect(keep(visits)).rejects.toThrow(VisitRefused)
    expect(await queue.find(batchKey({ producerId, seq: 1 }))).toBeUndefined()
    expect(numbers.next()).toBe(1)
  })

  test('with VISIT_DURABILITY=both have no file if they are refused because the queue’s reply is lost', async () => {
    const keep = openKeeper({ durability: 'both' })
    await keep(visits)
    toRedis.setMode('drop-replies')
    await expect(keep(visits)).rejects.toThrow(VisitRefused)
    expect(readdirSync(folder)).toEqual(['000000000001.sealed'])
    expect(await ledgerRows()).toContainEqual({ seq: 2, counted: 0 })
  })

  test('with VISIT_LOSS=allow are in the spool alone while the queue is away', async () => {
    const keep = openKeeper({ durability: 'queue', allowLoss: true })
    await breakQueue()
    await keep(visits)
    await keep(visits)
    expect(counters).toEqual({ kept: 4, countedAtOnce: 0, refused: 0, lost: 0 })
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/\.open$/)])
  })

  // Last: its worker records what other tests leave in the queue.
  test('are kept if the queue’s reply is lost and the ledger holds them', async () => {
    await startWorker({ databaseUrl, redisUrl })
    const keep = openKeeper()
    breakSpool()
    toRedis.setMode('drop-replies')
    await keep(visits)
    expect(counters).toEqual({ kept: 2, countedAtOnce: 2, refused: 0, lost: 0 })
    expect(deliverer.pending().batches).toBe(0)
  })
})
