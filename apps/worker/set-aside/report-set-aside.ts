/** What `npm run verify` says about visits that are set aside: they are not counted, although all counts agree. */
import type { Configuration } from '@hopcount/shared/configuration/configuration.ts'
import { directDatabaseUrl } from '@hopcount/shared/configuration/configuration.ts'
import { errorText, openLog } from '@hopcount/shared/log.ts'
import type { SetAsideFile } from '@hopcount/shared/visits/set-aside-files.ts'
import { listSetAsideFiles } from '@hopcount/shared/visits/set-aside-files.ts'
import type { VisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import { openVisitQueue } from '@hopcount/shared/visits/visit-queue.ts'
import type { Pool } from 'pg'
import { describeEntry, listSetAside } from './list-set-aside.ts'

const maxLines = 50

/** Lines for an operator; none if nothing is set aside. A queue that is away is said, and the rest is listed. */
export async function reportSetAside(pool: Pool, configuration: Configuration): Promise<string[]> {
  const { REDIS_URL: redisUrl, SPOOL_DIR: spoolDir } = configuration
  const databaseUrl = directDatabaseUrl(configuration)
  const queue = openVisitQueue({ redisUrl, databaseUrl }, openLog({ name: 'verify', level: 'silent' }))
  const lines: string[] = []
  let reached: VisitQueue | undefined = queue
  try {
    await queue.ready()
  } catch (error) {
    reached = undefined
    lines.push(`the queue was not looked through for failed jobs: ${errorText(error)}`)
  }
  try {
    const entries = [...(await listSetAside({ pool, queue: reached, spoolDir })).values()]
    lines.push(...entries.slice(0, maxLines).map(entry => `set aside: ${describeEntry(entry)}`))
    if (entries.length > 0) {
      const count = entries.length === 1 ? '1 batch is' : `${entries.length} batches are`
      lines.push(`${count} set aside and not counted: npm run queue retry has them tried again`)
    }
  } finally {
    await queue.close()
  }
  const damaged = (await listSetAsideFiles(spoolDir)).filter(({ state }) => state === 'damaged')
  lines.push(...damaged.slice(0, maxLines).map(describeDamage))
  return lines
}

function describeDamage({ path }: SetAsideFile): string {
  return `damaged and not counted: ${JSON.stringify(path)}`
}
