/**
 * `pnpm queue failed`: lists the jobs that were set aside, with their reasons.
 * `pnpm queue retry [id …]`: puts them (or those with these ids) back; what was counted before is not counted again.
 */
import { ConfigurationProblems, readConfiguration } from '@hopcount/shared/configuration.ts'
import { errorText, openLog } from '@hopcount/shared/log.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import { openVisitQueue } from '@hopcount/shared/visits/visit-queue.ts'

const [command, ...ids] = process.argv.slice(2)
try {
  if (command !== 'failed' && command !== 'retry')
    throw new Error('usage: pnpm queue failed | pnpm queue retry [id …]')
  const { REDIS_URL, DATABASE_URL, SPOOL_DIR } = readConfiguration(process.env)
  const log = openLog({ name: 'queue', level: 'silent' })
  const queue = openVisitQueue({ redisUrl: REDIS_URL, databaseUrl: DATABASE_URL, spoolDir: SPOOL_DIR }, log)
  await queue.ready()
  await (command === 'failed' ? listFailed(queue) : retryFailed(queue, ids))
  await queue.close()
} catch (error) {
  const problems = error instanceof ConfigurationProblems ? error.problems : [errorText(error)]
  for (const problem of problems) process.stderr.write(`hopcount queue: ${problem}\n`)
  process.exit(1)
}

async function listFailed(queue: VisitQueue): Promise<void> {
  const jobs = await queue.failedJobs()
  for (const job of jobs) {
    const failedAt = new Date(job.finishedOn ?? job.timestamp).toISOString()
    // JSON: what came from outside is not written to a terminal raw.
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
