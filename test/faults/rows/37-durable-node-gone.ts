import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startApi } from '../../support/hopcount.ts'
import { startProcess } from '../../support/processes.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { FaultSystem } from '../fault-system.ts'
import type { RoundContext } from '../row.ts'
import type { RoundResult } from '../strike-under-load.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** Under full load, and while visits wait for a worker: what was answered is in the queue, and nothing of it is lost. */
export async function durableNodeGone(
  system: FaultSystem,
  context: RoundContext,
  durability: 'queue' | 'both',
): Promise<RoundResult> {
  const spoolDir = temporaryFolder()
  const node = await startApi({
    databaseUrl: system.databaseUrl,
    redisUrl: system.redis.url,
    spoolDir,
    env: { VISIT_DURABILITY: durability },
  })
  let isGone = false
  const failures: string[] = []
  const result = await strikeUnderLoad(system, context, {
    load: { origin: () => (isGone ? system.origin() : node.origin) },
    async strike() {
      for (const worker of system.workers.splice(0)) await worker.stop()
      await sleep(context.random.between(100, 1_000))
      const { waiting } = await system.queue.counts()
      if (waiting === 0) failures.push('nothing waits in the queue')
      node.process.kill('SIGKILL')
      await node.process.exited
      isGone = true
      rmSync(spoolDir, { recursive: true })
    },
    lasts: 500,
    async heal() {
      await system.startWorker()
      // It may be named for a while, until the queue is drained.
      await waitUntil(async () => (await system.queue.counts()).waiting === 0, {
        what: 'the queue is drained',
      })
    },
    promises: { drainedWithinMs: 60_000 },
  })
  result.failures.push(...failures)
  await writeOffSilent(system)
  return result
}

/** Nobody knows that the queue had all of its visits: the node is named until it is written off, also in later rounds. */
async function writeOffSilent(system: FaultSystem): Promise<void> {
  const warning = await waitUntil(
    async () => {
      const response = await fetch(`${system.origin()}/readyz`)
      const { warnings } = (await response.json()) as { warnings: string[] }
      return warnings.find(text => text.includes('silent'))
    },
    { what: 'the node that is gone is named' },
  )
  const args = ['write-off', /API process (\S+)/.exec(warning)?.[1] ?? '']
  const env = { DATABASE_URL: system.databaseUrl }
  await startProcess({ script: 'apps/worker/producers-command.ts', args, env }).exited
}
