/**
 * `npm run queue failed`: lists the jobs that were set aside, with their reasons.
 * `npm run queue retry [id …]`: puts all of them, or those with these ids, back into the queue. Batches that have been
 * recorded before are not counted again.
 */
import { readConfiguration } from '@hopcount/shared/configuration.ts'
import { openLog } from '@hopcount/shared/log.ts'
import { runCommand } from '@hopcount/shared/run-command.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import { openVisitQueue } from '@hopcount/shared/visits/visit-queue.ts'

await runCommand('queue', async () => {
  const [command, ...ids] = process.argv.slice(2)
  if (command !== 'failed' && command !== 'retry')
    throw new Error('usage: npm run queue failed | npm run queue retry [id …]')
  const { REDIS_URL, DATABASE_URL, SPOOL_DIR } = readConfiguration(process.env)
  const log = openLog({ name: 'queue', level: 'silent' })
  const queue = openVisitQueue({ redisUrl: REDIS_URL, databaseUrl: DATABASE_URL, spoolDir: SPOOL_DIR }, log)
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
