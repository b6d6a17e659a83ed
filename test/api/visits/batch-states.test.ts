/**
 * The states of a batch: the diagram in deliver-batches.ts matches the table in batch-states.ts, and the table matches
 * a running deliverer. Every edge of the table is driven with real services and compared with the deliverer's log.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import type { BatchEvent, BatchExit, BatchState } from '../../../apps/api/visits/delivery/batch-states.ts'
import { isExit, transitions } from '../../../apps/api/visits/delivery/batch-states.ts'
import type { Deliverer } from '../../../apps/api/visits/delivery/deliver-batches.ts'
import { createDeliverer } from '../../../apps/api/visits/delivery/deliver-batches.ts'
import { newProducerId } from '../../../apps/api/visits/producer-folder.ts'
import type { SealedBatch } from '../../../apps/api/visits/sealed-batch.ts'
import { openLog } from '../../../apps/shared/log.ts'
import type { BatchId } from '../../../apps/shared/visits/visit-batch.ts'
import { batchKey, encodeFrame } from '../../../apps/shared/visits/visit-batch.ts'
import type { VisitQueue } from '../../../apps/shared/visits/visit-queue.ts'
import { openVisitQueue } from '../../../apps/shared/visits/visit-queue.ts'
import { cleanUpLater } from '../../support/clean-up.ts'
import { openPool, startWorker } from '../../support/hopcount.ts'
import { redisAvailable, startRedis } from '../../support/redis.ts'
import { epochOf } from '../../support/settled-epoch.ts'
import type { TcpProxy } from '../../support/tcp-proxy.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

interface Step {
  batch: string
  state: BatchState
  event: BatchEvent
  /** Absent if the event came too late to change anything. */
  next?: BatchState
}

const edge = ({ state, event, next }: Omit<Step, 'batch'>) => `${state} ── ${event} ─► ${next}`

const edgesOfTable = Object.entries(transitions).flatMap(([state, exits]) =>
  Object.entries(exits).map(([event, next]) => edge({ state, event, next } as Step)),
)

test('the diagram of a batch’s states shows the edges of the table, and no others', () => {
  const source = readFileSync(
    new URL('../../../apps/api/visits/delivery/deliver-batches.ts', import.meta.url),
    'utf8',
  )
  const drawn = [...source.matchAll(/^ \* {3}(\w[\w ]*?) +── ([\w ]+?) ─+► (\w[\w ]*?)(?: {2}|$)/gm)]
  expect(drawn.map(([, state, event, next]) => `${state} ── ${event} ─► ${next}`).sort()).toEqual(
    edgesOfTable.toSorted(),
  )
})

test('every state leads to an exit, and the exits are those listed in the contract', () => {
  const exits = Object.keys(transitions).filter(state => isExit(state as BatchState))
  expect(exits).toEqual(['counted', 'set aside', 'gone', 'void'] satisfies BatchExit[])
  const reaches = (state: BatchState, seen: BatchState[] = []): boolean =>
    isExit(state) ||
    Object.values(transitions[state]).some(next => !seen.includes(next) && reaches(next, [...seen, state]))
  for (const state of Object.keys(transitions)) expect(reaches(state as BatchState), state).toBe(true)
})

describe.skipIf(!redisAvailable())('a deliverer', { timeout: 120_000 }, () => {
  const steps: Step[] = []
  const exits = new Map<string, BatchExit[]>()
  const producerId = newProducerId()
  const log = Object.assign(openLog({ name: 'test', level: 'silent' }), {
    debug: (fields: object) => 'event' in fields && steps.push(fields as Step),
  })
  let databaseUrl: string
  let pool: Pool
  let redisUrl: string
  let toRedis: TcpProxy
  let toPostgres: TcpProxy
  let queue: VisitQueue
  let deliverer: Deliverer
  let lastSeq = 0

  beforeAll(async () => {
    const redis = await startRedis()
    redisUrl = redis.url
    databaseUrl = (await createTestDatabase()).url
    pool = openPool(databaseUrl)
    toRedis = await startTcpProxy({ port: redis.port })
    toPostgres = await startTcpProxy({ port: Number(new URL(databaseUrl).port) })
    const throughProxy = new URL(databaseUrl)
    throughProxy.port = String(toPostgres.port)
    queue = openVisitQueue({ redisUrl: `redis://127.0.0.1:${toRedis.port}`, databaseUrl }, log)
    await queue.ready()
    cleanUpLater(() => queue.close())
    deliverer = createDeliverer({
      queue,
      pool: openPool(throughProxy.href),
      watch: await epochOf(pool),
      log,
      onExit: (batch, exit) => exits.set(batchKey(batch), [...(exits.get(batchKey(batch)) ?? []), exit]),
      sendAgainAfterMs: 300,
    })
    cleanUpLater(() => deliverer.stop(0))
  })

  const nextId = (): BatchId => ({ producerId, seq: ++lastSeq })

  function makeBatch(id: BatchId, parts: Partial<SealedBatch> = {}): SealedBatch {
    const frames = encodeFrame([{ linkId: 1, referrer: undefined, userAgent: undefined }], 1, new Map())
    return {
      ...id,
      visits: 1,
      redirected: 1,
      firstVisitAt: 1,
      load: async () => ({ frames, visits: 1, firstVisitAt: 1 }),
      refer: () => undefined,
      discard: async () => {},
      setAside: async () => {},
      ...parts,
    }
  }

  /** What a worker does when it records a batch. */
  async function enterLedger({ producerId, seq }: BatchId): Promise<void> {
    await pool.query('INSERT INTO ledger (producer_id, seq, counted) VALUES ($1, $2, 1)', [producerId, seq])
  }

  const pathOf = (id: BatchId) => steps.filter(step => step.batch === batchKey(id)).map(edge)

  async function untilSeen(id: BatchId, wanted: string, times = 1): Promise<void> {
    await waitUntil(() => pathOf(id).filter(seen => seen === wanted).length >= times, {
      what: `${wanted}, ${times} times`,
    }).catch(error => {
      throw new Error(`${error.message}; seen: ${pathOf(id).join(' | ')}`, { cause: error })
    })
  }

  const newToSending = ['new ── delivered ─► unsent', 'unsent ── attempt ─► sending']
  const recordedToCounted = 'recorded ── segment released ─► counted'

  test('keeps a batch until the ledger holds it, and deletes its segment only then', async () => {
    const id = nextId()
    let discarded = false
    deliverer.deliver(
      makeBatch(id, {
        discard: async () => {
          discarded = true
        },
      }),
    )
    // By its second attempt the ledger has been read more than once.
    await untilSeen(id, 'sending ── queue has it ─► sent', 2)
    expect(deliverer.pending()).toEqual({ batches: 1, visits: 1, firstVisitAt: 1 })
    expect(deliverer.holds(producerId)).toBe(true)
    expect(discarded).toBe(false)
    await enterLedger(id)
    await untilSeen(id, recordedToCounted)
    expect(discarded).toBe(true)
    expect(pathOf(id).slice(0, 3)).toEqual([...newToSending, 'sending ── queue has it ─► sent'])
    expect(pathOf(id).at(-2)).toMatch(/── ledger holds it ─► recorded$/)
    expect(exits.get(batchKey(id))).toEqual(['counted'])
    expect(deliverer.pending()).toEqual({ batches: 0, visits: 0, firstVisitAt: undefined })
    expect(deliverer.holds(producerId)).toBe(false)
  })

  test('resends a batch that the queue has lost, but not one that the queue still holds', async () => {
    const id = nextId()
    let loads = 0
    const { load } = makeBatch(id)
    deliverer.deliver(
      makeBatch(id, {
        load: bufferOf => {
          loads++
          return load(bufferOf)
        },
      }),
    )
    await untilSeen(id, 'sent ── attempt ─► sending')
    await untilSeen(id, 'sending ── queue has it ─► sent', 2)
    expect(loads).toBe(1)
    await (await queue.find(batchKey(id)))?.remove()
    await waitUntil(async () => (await queue.find(batchKey(id))) !== undefined, { what: 'the job is back' })
    expect(loads).toBe(2)
    await enterLedger(id)
    await untilSeen(id, recordedToCounted)
  })

  test('takes over a batch that the queue already has, and takes each batch once', async () => {
    const id = nextId()
    deliverer.deliver(makeBatch(id), { alreadySent: true })
    deliverer.deliver(makeBatch(id))
    await enterLedger(id)
    await untilSeen(id, recordedToCounted)
    expect(pathOf(id)[0]).toBe('new ── delivered as sent ─► sent')
    expect(pathOf(id)).not.toContain('new ── delivered ─► unsent')
    expect(exits.get(batchKey(id))).toEqual(['counted'])
  })

  test('retries while the queue is unavailable, and checks the ledger for unsent batches too', async () => {
    const [id, counted] = [nextId(), nextId()]
    toRedis.setMode('reset')
    deliverer.deliver(makeBatch(id))
    deliverer.deliver(makeBatch(counted))
    await untilSeen(id, 'sending ── attempt failed ─► unsent', 2)
    await enterLedger(counted)
    await untilSeen(counted, 'unsent ── ledger holds it ─► recorded')
    toRedis.setMode('pass')
    await untilSeen(id, 'sending ── queue has it ─► sent')
    await enterLedger(id)
    await untilSeen(id, recordedToCounted)
  })

  test.each(['queue has it', 'segment missing', 'attempt failed'])(
    'counts a batch once when the ledger overtakes an attempt that ends with "%s"',
    async end => {
      const id = nextId()
      const gate = Promise.withResolvers<void>()
      const { load } = makeBatch(id)
      deliverer.deliver(
        makeBatch(id, {
          load: async bufferOf => {
            await gate.promise
            if (end === 'attempt failed') throw new Error('the disk can not be read')
            return end === 'queue has it' ? load(bufferOf) : undefined
          },
        }),
      )
      await enterLedger(id)
      await untilSeen(id, 'sending ── ledger holds it ─► recorded')
      await untilSeen(id, recordedToCounted)
      gate.resolve()
      await untilSeen(id, `counted ── ${end} ─► undefined`)
      expect(exits.get(batchKey(id))).toEqual(['counted'])
      expect(deliverer.pending().batches).toBe(0)
    },
  )

  test('retries deleting a recorded segment, which holds up neither its batch nor the segments behind it', async () => {
    const [id, behind] = [nextId(), nextId()]
    let failures = 0
    let isWritable = false
    let deleted = 0
    const discard = async () => {
      if (isWritable) deleted++
      else {
        failures++
        throw new Error('the disk can not be written')
      }
    }
    deliverer.deliver(makeBatch(id, { discard }))
    deliverer.deliver(makeBatch(behind))
    await enterLedger(id)
    await enterLedger(behind)
    await untilSeen(id, 'recorded ── segment left behind ─► counted')
    await untilSeen(behind, recordedToCounted)
    expect(deliverer.pending().batches).toBe(0)
    expect(deliverer.holds(producerId)).toBe(true)
    await waitUntil(() => failures >= 3, { what: 'it is tried again' })
    isWritable = true
    await waitUntil(() => deleted === 1, { what: 'it is deleted' })
    await waitUntil(() => !deliverer.holds(producerId), { what: 'it is forgotten' })
    expect(exits.get(batchKey(id))).toEqual(['counted'])
    const path = pathOf(id)
    expect(path.slice(path.findIndex(seen => seen.endsWith('► recorded')))).not.toContain(
      'recorded ── attempt ─► undefined',
    )
  })

  test('drops a batch whose segment another process has deleted', async () => {
    const id = nextId()
    deliverer.deliver(makeBatch(id, { load: async () => undefined }))
    await untilSeen(id, 'sending ── segment missing ─► gone')
    expect(exits.get(batchKey(id))).toEqual(['gone'])
  })

  test('sets aside a batch that the worker refuses, and keeps delivering others', async () => {
    // No producer writes number 0, and the worker refuses it. (From a separate producer: no watermark covers it.)
    const id = { producerId: newProducerId(), seq: 0 }
    const other = nextId()
    let setAside = 0
    await startWorker({ databaseUrl, redisUrl })
    deliverer.deliver(makeBatch(id, { setAside: async () => void setAside++ }))
    await untilSeen(id, 'sending ── worker refuses it ─► set aside')
    expect(setAside).toBe(1)
    expect(exits.get(batchKey(id))).toEqual(['set aside'])
    deliverer.deliver(makeBatch(other))
    await untilSeen(other, recordedToCounted)
  })

  test('voids a batch that is not in the ledger as soon as the ledger can be reached', async () => {
    const id = nextId()
    toPostgres.setMode('reset')
    deliverer.voidLater(id)
    await sleep(300)
    expect(pathOf(id)).toEqual(['new ── disowned ─► voiding'])
    toPostgres.setMode('pass')
    await untilSeen(id, 'voiding ── ledger takes it as void ─► void')
    const { rows } = await pool.query('SELECT counted FROM ledger WHERE producer_id = $1 AND seq = $2', [
      id.producerId,
      id.seq,
    ])
    expect(rows).toEqual([{ counted: 0 }])
  })

  test('does not void a batch that is already in the ledger', async () => {
    const id = nextId()
    await enterLedger(id)
    deliverer.voidLater(id)
    await untilSeen(id, 'voiding ── ledger holds it ─► counted')
  })

  test('voids a batch again if the ledger may have lost it', async () => {
    const id = nextId()
    deliverer.voidLater(id)
    await untilSeen(id, 'voiding ── ledger takes it as void ─► void')
    await pool.query('DELETE FROM ledger WHERE producer_id = $1 AND seq = $2', [id.producerId, id.seq])
    deliverer.doubt()
    await untilSeen(id, 'voiding ── ledger takes it as void ─► void', 2)
  })

  test('takes no more from its sources than it has room for', async () => {
    const ids = Array.from({ length: 40 }, nextId)
    let taken = 0
    deliverer.addSource(() => {
      const id = ids[taken]
      if (id === undefined) return undefined
      taken++
      return makeBatch(id, { load: () => new Promise(() => {}) })
    })
    deliverer.fill()
    expect(taken).toBe(32)
    expect(deliverer.hasRoom()).toBe(false)
    for (const id of ids) await enterLedger(id)
    for (const id of ids) await untilSeen(id, recordedToCounted)
    expect(deliverer.hasRoom()).toBe(true)
  })

  test('has taken every edge of the diagram, and no other', () => {
    const taken = steps.filter(({ next }) => next !== undefined)
    expect([...new Set(taken.map(edge))].sort()).toEqual(edgesOfTable.toSorted())
    // Too late to change anything: the end of an attempt that the ledger has overtaken.
    const ignored = new Set(steps.filter(({ next }) => next === undefined).map(edge))
    for (const late of ignored) {
      expect(late).toMatch(
        /^(recorded|counted) ── (queue has it|attempt failed|segment missing) ─► undefined$/,
      )
    }
    for (const [batch, reached] of exits) expect(reached, batch).toHaveLength(1)
  })
})
