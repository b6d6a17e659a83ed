/**
 * `npm run queue failed`: lists the jobs that were set aside, with their reasons.
 * `npm run queue retry [id …]`: puts all of them, or those with these ids, back into the queue. Batches that have been
 * recorded before are not counted again.
 * `npm run queue rotate-key`: replaces the key that encrypts a queue in PostgreSQL.
 */
import type { Configuration } from '@hopcount/shared/configuration.ts'
import { directDatabaseUrl, readConfiguration } from '@hopcount/shared/configuration.ts'
import { openPool, poolConfig } from '@hopcount/shared/database/database.ts'
import { openLog } from '@hopcount/shared/log.ts'
import { runCommand } from '@hopcount/shared/run-command.ts'
import { rotateQueueKey } from '@hopcount/shared/visits/claim-queue-key.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import { openVisitQueue } from '@hopcount/shared/visits/visit-queue.ts'

await runCommand('queue', async () => {
  const [command, ...ids] = process.argv.slice(2)
  const configuration = readConfiguration(process.env)
  if (command === 'rotate-key') return rotateKey(configuration)
  if (command !== 'failed' && command !== 'retry')
    throw new Error('usage: npm run queue failed | npm run queue retry [id …] | npm run queue rotate-key')
  const log = openLog({ name: 'queue', level: 'silent' })
  const queue = openVisitQueue(
    { redisUrl: configuration.REDIS_URL, databaseUrl: directDatabaseUrl(configuration) },
    log,
  )
  await queue.ready()
  await (command === 'failed' ? listFailed(queue) : retryFailed(queue, ids))
  await queue.close()
})

async function listFailed(queue: VisitQueue): Promise<void> {
  const jobs = await queue.failedJobs()
  for (const job of jobs) {
    const failedAt = new Date(job.finishedOn ?? job.timestamp).toISOString()
    // As JSON, so that nothing from outside reaches the terminal raw.
    process.stdout.write(`${JSON.stringify(job.id)}  ${failedAt}  ${JSON.stringify(job.failedReason)}\n`)
  }
  process.stdout.write(`${jobs.length} set aside\n`)
}

async function retryFailed(queue: VisitQueue, wanted: string[]): Promise<void> {
  const jobs = (await queue.failedJobs()).filter(job => wanted.length === 0 || wanted.includes(job.id ?? ''))
  for (const job of jobs) await job.retry('failed')
  process.stdout.write(`${jobs.length} put back\n`)
  if (jobs.length < wanted.length) process.exitCode = 1
}

async function rotateKey(configuration: Configuration): Promise<void> {
  const { REDIS_URL, SPOOL_DIR } = configuration
  if (REDIS_URL !== undefined) throw new Error('Redis carries the queue (REDIS_URL), so there is no key')
  const config = poolConfig(directDatabaseUrl(configuration), {
    max: 1,
    applicationName: 'hopcount queue command',
    statementTimeoutMs: 10_000,
  })
  const pool = openPool(config, () => {})
  const { replaced, current, isReplacedKept } = await rotateQueueKey(pool, SPOOL_DIR)
  await pool.end()
  process.stdout.write(`the queue's key is now ${current}; restart the API to use it\n`)
  if (replaced === undefined) return
  process.stdout.write(
    isReplacedKept
      ? `jobs encrypted with key ${replaced} are still read, as long as ${SPOOL_DIR} keeps queue.key.${replaced}\n`
      : `key ${replaced} is lost: the API encrypts those of its jobs again that are in its spool; the others wait until ${SPOOL_DIR} has queue.key.${replaced}\n`,
  )
}
