/**
 * `npm run queue failed`: lists what was set aside, with the reasons: jobs in the queue, segments in SPOOL_DIR, batches in
 * the ledger. Also jobs that wait for a key.
 * `npm run queue retry [id …]`: has all of it, or what has these ids, tried again. What has been recorded before is not
 * counted again.
 * `npm run queue drop id …`: deletes these for good. Their visits are not counted.
 * `npm run queue rotate-key`: replaces the key that encrypts a queue in PostgreSQL.
 */

import { readCommandConfiguration } from '@hopcount/shared/configuration/command-configuration.ts'
import type { Configuration } from '@hopcount/shared/configuration/configuration.ts'
import { directDatabaseUrl } from '@hopcount/shared/configuration/configuration.ts'
import { openPool, poolConfig } from '@hopcount/shared/database/database.ts'
import { openLog } from '@hopcount/shared/log.ts'
import { runCommand } from '@hopcount/shared/run-command.ts'
import { rotateQueueKey } from '@hopcount/shared/visits/claim-queue-key.ts'
import { parseVisitJob } from '@hopcount/shared/visits/visit-batch.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import { openVisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { Pool } from 'pg'
import { drop } from './set-aside/drop.ts'
import type { SetAside } from './set-aside/list-set-aside.ts'
import { describeEntry, listSetAside } from './set-aside/list-set-aside.ts'
import { putBack } from './set-aside/put-back.ts'

interface Context {
  configuration: Configuration
  pool: Pool
  queue: VisitQueue
  ids: string[]
}

const commands: Record<string, (context: Context) => Promise<void>> = {
  failed: listFailed,
  retry: retryFailed,
  drop: dropFailed,
  'rotate-key': rotateKey,
}

await runCommand('queue', async () => {
  const [name = '', ...ids] = process.argv.slice(2)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined)
    throw new Error('usage: npm run queue failed | retry [id …] | drop id … | rotate-key')
  const configuration = readCommandConfiguration(process.env)
  const databaseUrl = directDatabaseUrl(configuration)
  const config = poolConfig(databaseUrl, {
    max: 1,
    applicationName: 'hopcount queue command',
    statementTimeoutMs: 10_000,
  })
  const pool = openPool(config, () => {})
  const queue = openVisitQueue(
    { redisUrl: configuration.REDIS_URL, databaseUrl },
    openLog({ name: 'queue', level: 'silent' }),
  )
  try {
    await queue.ready()
    await command({ configuration, pool, queue, ids })
  } finally {
    await queue.close()
    await pool.end()
  }
})

async function listFailed(context: Context): Promise<void> {
  const found = await findSetAside(context)
  for (const entry of found) process.stdout.write(`${describeEntry(entry)}\n`)
  for (const { id, reason } of await findWaitingForKey(context.queue))
    process.stdout.write(`${JSON.stringify(id)}  ${reason}\n`)
  process.stdout.write(`${found.length} set aside\n`)
}

async function retryFailed(context: Context): Promise<void> {
  let done = 0
  for (const entry of await findSetAside(context)) if (await putBack(entry, context.queue)) done++
  process.stdout.write(`${done} put back\n`)
  if (done < context.ids.length) process.exitCode = 1
}

async function dropFailed(context: Context): Promise<void> {
  if (context.ids.length === 0) throw new Error('usage: npm run queue drop id …')
  const waiting = (await findWaitingForKey(context.queue)).filter(({ id }) => context.ids.includes(id))
  const found = new Map([...waiting, ...(await findSetAside(context))].map(entry => [entry.id, entry]))
  for (const entry of found.values()) await drop(entry, context)
  process.stdout.write(`${found.size} dropped\n`)
  if (found.size < context.ids.length) process.exitCode = 1
}

/** All, or those with the ids that were given. */
async function findSetAside({ configuration, pool, queue, ids }: Context): Promise<SetAside[]> {
  const found = await listSetAside({ pool, queue, spoolDir: configuration.SPOOL_DIR })
  return ids.length === 0 ? [...found.values()] : ids.flatMap(id => found.get(id) ?? [])
}

/** Nothing else delays a job (recording/jobs/missing-keys.ts). */
async function findWaitingForKey(queue: VisitQueue): Promise<SetAside[]> {
  const found: SetAside[] = []
  for await (const job of queue.jobs('delayed')) {
    const batch = parseVisitJob(job.data)
    const { id = '' } = job
    const reason = `waits for key ${JSON.stringify(batch?.key ?? 'unknown')}`
    found.push({ id, reason, ...(batch && { batch: { producerId: batch.producerId, seq: batch.seq } }) })
  }
  return found
}

async function rotateKey({ configuration, pool }: Context): Promise<void> {
  const { REDIS_URL, SPOOL_DIR } = configuration
  if (REDIS_URL !== undefined) throw new Error('Redis carries the queue (REDIS_URL), so there is no key')
  const { replaced, current, isReplacedKept } = await rotateQueueKey(pool, SPOOL_DIR)
  process.stdout.write(`the queue's key is now ${current}; restart the API to use it\n`)
  if (replaced === undefined) return
  process.stdout.write(
    isReplacedKept
      ? `jobs encrypted with key ${replaced} are still read, as long as ${SPOOL_DIR} keeps queue.key.${replaced}\n`
      : `key ${replaced} is lost: the API encrypts those of its jobs again that are in its spool; the others wait until ${SPOOL_DIR} has queue.key.${replaced}\n`,
  )
}
