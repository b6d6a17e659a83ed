/** What must have become of a batch in Redis before its redirects leave: replicas and disk (queue-durability.ts). */
import { beforeEach, describe, expect, test } from 'vitest'
import { newProducerId } from '../../../apps/api/visits/producer-folder.ts'
import { ConfigurationProblems, readConfiguration } from '../../../apps/shared/configuration/configuration.ts'
import { openLog } from '../../../apps/shared/log.ts'
import type { QueueDurability } from '../../../apps/shared/visits/queue-durability.ts'
import { QueueUnfit } from '../../../apps/shared/visits/queue-durability.ts'
import type { VisitJob } from '../../../apps/shared/visits/visit-batch.ts'
import type { VisitQueue } from '../../../apps/shared/visits/visit-queue.ts'
import { openVisitQueue } from '../../../apps/shared/visits/visit-queue.ts'
import { cleanUpLater } from '../../support/clean-up.ts'
import { startApi } from '../../support/hopcount.ts'
import { redisAvailable, startRedis } from '../../support/redis.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

const log = openLog({ name: 'test', level: 'silent' })

describe.skipIf(!redisAvailable())('a batch that is added durably', { timeout: 60_000 }, () => {
  let job: VisitJob
  beforeEach(() => {
    job = { producerId: newProducerId(), seq: 1, frames: 'AA==' }
  })

  async function openQueue(redisUrl: string, durability: QueueDurability): Promise<VisitQueue> {
    const queue = openVisitQueue({ redisUrl, databaseUrl: '' }, log, undefined, durability)
    cleanUpLater(() => queue.close())
    await queue.ready()
    return queue
  }

  test('is on as many replicas as are configured, and nobody knows while one of them is frozen', async () => {
    const primary = await startRedis()
    const replica = await startRedis({ replicaOf: primary.port })
    const queue = await openQueue(primary.url, { replicas: 1, fsync: false })
    await waitUntil(() => queue.addDurably(job).then(() => true), { what: 'the replica has the batch' })
    const onReplica = await openQueue(replica.url, { replicas: 0, fsync: false })
    expect(await onReplica.counts()).toMatchObject({ waiting: 1 })
    replica.freeze()
    await expect(queue.addDurably({ ...job, seq: 2 })).rejects.toThrow('0 of 1 replicas')
    replica.thaw()
    await waitUntil(() => queue.addDurably({ ...job, seq: 3 }).then(() => true), { what: 'it is back' })
  })

  test('is refused by a Redis that writes no append-only file, before it is sent', async () => {
    const { url } = await startRedis()
    const queue = await openQueue(url, { replicas: 0, fsync: true })
    await expect(queue.addDurably(job)).rejects.toThrow(QueueUnfit)
    expect(await queue.counts()).toMatchObject({ waiting: 0 })
  })

  test('is on disk in a Redis that acknowledges only what is', async () => {
    const { url } = await startRedis({ appendonly: true, appendfsync: 'always' })
    const queue = await openQueue(url, { replicas: 0, fsync: true })
    await queue.addDurably(job)
    expect(await queue.counts()).toMatchObject({ waiting: 1 })
  })

  test('is on disk, or refused where Redis is too old to tell', async () => {
    const { url } = await startRedis({ appendonly: true })
    const queue = await openQueue(url, { replicas: 0, fsync: true })
    const added = await queue.addDurably(job).then(
      () => 1,
      error => {
        expect(error).toBeInstanceOf(QueueUnfit)
        expect(error.message).toContain('needs Redis 7.2')
        return 0
      },
    )
    expect(await queue.counts()).toMatchObject({ waiting: added })
  })

  test('is never asked for at a Redis that can not do it: the API does not start', async () => {
    const { url: redisUrl } = await startRedis()
    const { url: databaseUrl } = await createTestDatabase()
    const env = { VISIT_DURABILITY: 'queue', QUEUE_FSYNC: 'on' }
    await expect(startApi({ databaseUrl, redisUrl, env })).rejects.toThrow('appendonly yes')
  })
})

test.each([
  [{ VISIT_DURABILITY: 'queue' }, /VISIT_DURABILITY queue and both need REDIS_URL/],
  [{ VISIT_DURABILITY: 'both' }, /VISIT_DURABILITY queue and both need REDIS_URL/],
  [{ REDIS_URL: 'redis://r', QUEUE_REPLICAS: '1' }, /QUEUE_REPLICAS has no effect/],
  [{ REDIS_URL: 'redis://r', QUEUE_FSYNC: 'on' }, /QUEUE_FSYNC has no effect/],
])('%o is refused at the start', (settings, problem) => {
  const environment = { DATABASE_URL: 'postgres://h/d', ...settings }
  expect(() => readConfiguration(environment)).toThrow(ConfigurationProblems)
  expect(() => readConfiguration(environment)).toThrow(problem)
})
