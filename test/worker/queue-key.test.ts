/** The key of a queue in PostgreSQL: which one is right, what happens with a wrong one, and how it is replaced. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { newProducerId, segmentPath } from '../../apps/api/visits/producer-folder.ts'
import { openLog } from '../../apps/shared/log.ts'
import { claimQueueKey, rotateQueueKey, WrongQueueKey } from '../../apps/shared/visits/claim-queue-key.ts'
import { createKeyRing } from '../../apps/shared/visits/key-ring.ts'
import { packFrames } from '../../apps/shared/visits/pack-frames.ts'
import type { QueueKey } from '../../apps/shared/visits/queue-key.ts'
import { createQueueKey } from '../../apps/shared/visits/queue-key.ts'
import { encodeFrame } from '../../apps/shared/visits/visit-batch.ts'
import type { VisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import { openVisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import type { Installation } from '../support/hopcount.ts'
import {
  openPool,
  shorten,
  startApi,
  startWorker,
  visit,
  waitForVisits,
  workerOrigin,
} from '../support/hopcount.ts'
import { isNightly } from '../support/nightly.ts'
import { startProcess } from '../support/processes.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

let databaseUrl: string
let pool: Pool
let spoolDir: string
beforeEach(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
  spoolDir = join(temporaryFolder(), 'spool')
})

const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'not refused',
    error => (error instanceof WrongQueueKey ? error.message : Promise.reject(error)),
  )

describe('the key of a queue in PostgreSQL', () => {
  test('is created by the first process, readable by its owner only, and is the same for all', async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, () => claimQueueKey(pool, spoolDir)))
    expect(new Set(keys.map(key => key.fingerprint)).size).toBe(1)
    expect(await claimQueueKey(pool, spoolDir)).toEqual(keys[0])
    expect(readdirSync(spoolDir)).toEqual(['queue.key'])
    expect(statSync(join(spoolDir, 'queue.key')).mode & 0o077).toBe(0)
    expect(statSync(spoolDir).mode & 0o077).toBe(0)
    const { rows } = await pool.query<{ row: string }>('SELECT queue_keys::text AS row FROM queue_keys')
    const secret = readFileSync(join(spoolDir, 'queue.key'))
    for (const encoding of ['hex', 'base64', 'latin1'] as const)
      expect(rows[0]?.row).not.toContain(secret.toString(encoding))
  })

  test('is that of one folder, whichever wins, and refused elsewhere with both fingerprints', async () => {
    const folders = Array.from({ length: 5 }, () => join(temporaryFolder(), 'spool'))
    const own = folders.map(folder => createQueueKey(folder).fingerprint)
    const ends = await Promise.all(
      folders.map(folder =>
        claimQueueKey(pool, folder).then(
          ({ fingerprint }) => ({ fingerprint, message: undefined }),
          (error: Error) => ({ fingerprint: undefined, message: error.message }),
        ),
      ),
    )
    const winners = ends.flatMap(end => end.fingerprint ?? [])
    expect(winners).toHaveLength(1)
    for (const [i, { message }] of ends.entries()) {
      if (message === undefined) continue
      expect(message).toContain(own[i])
      expect(message).toContain(winners[0])
      expect(message).not.toContain('\n')
    }
  })

  test('is that of the file where the release before has created one', async () => {
    const { fingerprint } = createQueueKey(spoolDir)
    expect((await claimQueueKey(pool, spoolDir)).fingerprint).toBe(fingerprint)
  })

  test('is never created anew while the database knows of one', async () => {
    const { fingerprint } = await claimQueueKey(pool, spoolDir)
    rmSync(join(spoolDir, 'queue.key'))
    expect(await refusal(claimQueueKey(pool, spoolDir))).toMatch(
      new RegExp(`has no queue.key, .*${fingerprint}.*rotate-key`),
    )
    expect(readdirSync(spoolDir)).toEqual([])
  })

  test('is not a file of another size', async () => {
    mkdirSync(spoolDir)
    writeFileSync(join(spoolDir, 'queue.key'), 'short')
    await expect(claimQueueKey(pool, spoolDir)).rejects.toThrow('is not a key of 32 bytes')
    expect(readFileSync(join(spoolDir, 'queue.key'), 'utf8')).toBe('short')
  })

  test('can be replaced: the old one still opens what it encrypted, also for a worker that runs already', async () => {
    const old = await claimQueueKey(pool, spoolDir)
    const running = createKeyRing(spoolDir, old)
    const { replaced, current, isReplacedKept } = await rotateQueueKey(pool, spoolDir)
    expect({ replaced, isReplacedKept }).toEqual({ replaced: old.fingerprint, isReplacedKept: true })
    const key = await claimQueueKey(pool, spoolDir)
    expect(key.fingerprint).toBe(current)
    expect(current).not.toBe(old.fingerprint)
    expect(running.keysFor(current)).toEqual([key])
    const started = createKeyRing(spoolDir, key)
    expect(started.keysFor(old.fingerprint)).toEqual([old])
    expect(started.keysFor(undefined)).toHaveLength(2)
    expect(started.keysFor('0123456789abcdef')).toEqual([])
  })

  test('can be replaced when it is lost, by a command', async () => {
    const lost = await claimQueueKey(pool, spoolDir)
    rmSync(join(spoolDir, 'queue.key'))
    const output = await runQueueCommand('rotate-key')
    expect(output).toContain(lost.fingerprint)
    expect(output).toContain('is lost')
    const key = await claimQueueKey(pool, spoolDir)
    expect(key.fingerprint).not.toBe(lost.fingerprint)
    expect(output).toContain(key.fingerprint)
  })
})

async function runQueueCommand(...args: string[]): Promise<string> {
  const command = startProcess({
    script: 'apps/worker/queue-command.ts',
    args,
    env: { DATABASE_URL: databaseUrl, SPOOL_DIR: spoolDir },
  })
  expect(await command.exited).toMatchObject({ code: 0 })
  return command.output()
}

test.each(['api', 'worker'])(
  'the %s does not start with another key, and says so in one line',
  async program => {
    const { fingerprint } = await claimQueueKey(pool, spoolDir)
    const other = temporaryFolder()
    const otherKey = createQueueKey(other)
    const refused = startProcess({
      script: `apps/${program}/main.ts`,
      env: { DATABASE_URL: databaseUrl, SPOOL_DIR: other, PORT: '0', WORKER_METRICS_PORT: '0' },
    })
    expect(await refused.exited).toMatchObject({ code: 1 })
    const lines = refused.stderr().trim().split('\n')
    expect(lines).toHaveLength(1)
    for (const part of [fingerprint, otherKey.fingerprint, other, 'queue.key', 'rotate-key'])
      expect(lines[0]).toContain(part)
  },
)

describe('a job that is encrypted with a key that the worker does not have', { timeout: 180_000 }, () => {
  let installation: Installation
  let queue: VisitQueue
  let otherKey: QueueKey
  let other: string

  beforeEach(async () => {
    installation = { databaseUrl, spoolDir }
    const key = await claimQueueKey(pool, spoolDir)
    other = temporaryFolder()
    otherKey = createQueueKey(other)
    queue = openVisitQueue(
      { databaseUrl, redisUrl: undefined },
      openLog({ name: 'test', level: 'silent' }),
      key,
    )
    await queue.ready()
    cleanUpLater(() => queue.close())
  })

  const frames = encodeFrame(
    [{ linkId: 1_000_000, referrer: undefined, userAgent: undefined }],
    Date.now(),
    new Map(),
  )

  /** As an API process with the other key would; one of release 0.1 does not name it. */
  async function addForeignJob(options: { named: boolean }): Promise<string> {
    const producerId = newProducerId()
    const foreign = openVisitQueue(
      { databaseUrl, redisUrl: undefined },
      openLog({ name: 'test', level: 'silent' }),
      options.named ? otherKey : undefined,
    )
    await foreign.ready()
    await foreign.add({ producerId, seq: 1, frames: packFrames(frames, otherKey.secret) })
    await foreign.close()
    return producerId
  }

  async function expectNothingSetAside(): Promise<void> {
    expect((await queue.counts()).failed).toBe(0)
    expect((await pool.query('SELECT FROM set_aside_batches')).rowCount).toBe(0)
  }

  const counted = async () => (await pool.query('SELECT FROM visits WHERE link_id = 1000000')).rowCount

  test.each([{ named: true }, ...(isNightly ? [{ named: false }] : [])])(
    'waits, and the worker says so while others are recorded, until it has the key (named: $named)',
    async options => {
      const api = await startApi(installation)
      const worker = await startWorker(installation)
      const readiness = () => fetch(`${workerOrigin(worker)}/readyz`)
      expect((await readiness()).status).toBe(200)
      await addForeignJob(options)
      await waitUntil(async () => (await readiness()).status === 503, { what: 'the worker is not ready' })
      const problem = await readiness()
      expect(problem.headers.get('content-type')).toBe('application/problem+json')
      expect(((await problem.json()) as { detail: string }).detail).toContain(
        options.named ? `encrypted with key ${otherKey.fingerprint}` : 'encrypted with a key',
      )
      await worker.waitForLine(/opening jobs/)
      const slug = await shorten(api.origin)
      await visit(api.origin, slug)
      await waitForVisits(api.origin, slug, 1)
      await expectNothingSetAside()

      copyFileSync(join(other, 'queue.key'), join(spoolDir, `queue.key.${otherKey.fingerprint}`))
      await waitUntil(async () => (await counted()) === 1, { what: 'it is recorded', deadlineMs: 60_000 })
      await waitUntil(async () => (await readiness()).status === 200, {
        what: 'the worker is ready again',
        deadlineMs: 60_000,
      })
      await worker.waitForLine(/works again/)
      await expectNothingSetAside()
    },
  )

  test('is replaced by a process that has its segment', async () => {
    await startWorker(installation)
    const producerId = await addForeignJob({ named: true })
    mkdirSync(join(spoolDir, producerId))
    writeFileSync(segmentPath(join(spoolDir, producerId), 1, 'sealed'), frames)
    await startApi(installation)
    await waitUntil(async () => (await counted()) === 1, { what: 'it is recorded', deadlineMs: 120_000 })
    await expectNothingSetAside()
  })

  test('is set aside if it is damaged although the worker has its key', async () => {
    await startWorker(installation)
    const packed = Buffer.from(queue.pack(frames), 'base64')
    packed[packed.length - 1] = (packed.at(-1) ?? 0) ^ 1
    await queue.add({ producerId: newProducerId(), seq: 1, frames: packed.toString('base64') })
    await waitUntil(async () => (await queue.counts()).failed === 1, { what: 'it is set aside' })
  })
})
