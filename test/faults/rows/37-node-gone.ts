import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { startApi } from '../../support/hopcount.ts'
import { startProcess } from '../../support/processes.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { FaultSystem } from '../fault-system.ts'
import { metric } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'
import { durableNodeGone } from './37-durable-node-gone.ts'

/**
 * Visits on the second node wait for a worker when it is lost with its spool, and Redis loses its jobs. What is lost is
 * exactly what the first node says was pending. In the other two kinds of rounds the node has VISIT_DURABILITY=queue or
 * both, Redis loses nothing, and nothing is lost.
 */
export const nodeGone: Row = {
  number: 37,
  title:
    'a node is gone with its spool: the others name it, and how much was pending, until it is written off',
  kinds: 3,
  async round(system, context) {
    const durability = [undefined, 'queue', 'both'] as const
    const asked = durability[context.round % 3]
    if (asked !== undefined) return durableNodeGone(system, context, asked)
    const spoolDir = temporaryFolder()
    const node = await startApi({ databaseUrl: system.databaseUrl, redisUrl: system.redis.url, spoolDir })
    const failures: string[] = []
    let paused = false
    let lost = 0
    let goneAt = 0
    const result = await strikeUnderLoad(system, context, {
      load: { origin: () => (goneAt > 0 ? system.origin() : node.origin), isPaused: () => paused },
      async strike() {
        for (const worker of system.workers.splice(0)) await worker.stop()
        await sleep(500)
        paused = true
        await sleep(3_000)
        node.process.kill('SIGKILL')
        await node.process.exited
        goneAt = Date.now()
        rmSync(spoolDir, { recursive: true })
        const redis = new Redis(system.redis.url)
        await redis.flushall()
        await redis.quit()
        await system.startWorker()
      },
      async lasts() {
        const warning = await waitUntil(async () => (await silent(system))[0], {
          what: 'the other node names the one that is gone',
        })
        lost = Number(/when (\d+) visits? w/.exec(warning)?.[1])
        const producerId = /API process (\S+)/.exec(warning)?.[1] ?? ''
        const gauge = await metric(`${system.origin()}/metrics`, 'hopcount_silent_producer_pending_visits')
        if (gauge !== lost) failures.push(`the metric says ${gauge} visits, the warning ${lost}`)
        const { asOf, pending } = await freshness(system)
        if (asOf > goneAt) failures.push('the statistics claim to be complete after the node was gone')
        if (pending < lost) failures.push(`${pending} visits are pending, although ${lost} are missing`)
        const verify = await run('apps/worker/verify.ts', [], system)
        if (!verify.includes(producerId)) failures.push(`verify does not name it: ${verify}`)
        const writtenOff = await run('apps/worker/producers-command.ts', ['write-off', producerId], system)
        if (!writtenOff.includes(`${lost} visits`)) failures.push(`write-off says ${writtenOff}`)
      },
      async heal() {
        paused = false
        await waitUntil(async () => (await silent(system)).length === 0, {
          what: 'nobody is silent any more',
          deadlineMs: 60_000,
        })
        await waitUntil(async () => (await freshness(system)).asOf > goneAt, { what: 'as-of goes on' })
      },
      saysLost: async () => lost,
    })
    result.failures.push(...failures)
    return result
  },
}

/** The warnings about silent processes. */
async function silent(system: FaultSystem): Promise<string[]> {
  const response = await fetch(`${system.origin()}/readyz`)
  const { warnings } = (await response.json()) as { warnings: string[] }
  return warnings.filter(text => text.includes('silent since'))
}

async function freshness(system: FaultSystem): Promise<{ asOf: number; pending: number }> {
  const { headers } = await fetch(`${system.origin()}/stats`)
  return {
    asOf: Date.parse(headers.get('x-stats-as-of') ?? ''),
    pending: Number(headers.get('x-stats-pending')),
  }
}

async function run(script: string, args: string[], system: FaultSystem): Promise<string> {
  const command = startProcess({ script, args, env: { DATABASE_URL: system.databaseUrl } })
  await command.exited
  return command.output()
}
