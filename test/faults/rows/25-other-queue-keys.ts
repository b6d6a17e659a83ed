import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newProducerId, segmentPath } from '../../../apps/api/visits/producer-folder.ts'
import { packFrames } from '../../../apps/shared/visits/pack-frames.ts'
import { createQueueKey, readQueueKey } from '../../../apps/shared/visits/queue-key.ts'
import { encodeFrame } from '../../../apps/shared/visits/visit-batch.ts'
import { workerOrigin } from '../../support/hopcount.ts'
import { startProcess } from '../../support/processes.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { FaultSystem } from '../fault-system.ts'
import type { Row } from '../row.ts'
import type { Fault } from '../strike-under-load.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** Three kinds of rounds: processes with the key of another folder; the key is lost; a job of a foreign key. */
export const otherQueueKeys: Row = {
  number: 25,
  title:
    'API and worker have different keys for the queue in PostgreSQL: refused at start, or the job waits; nothing is set aside',
  needs: [],
  kinds: 3,
  system: { queueInPostgres: true },
  async round(system, context) {
    const failures: string[] = []
    const kinds = [processesOfAnotherFolder, keyIsLost, jobOfAForeignKey]
    const fault = kinds[context.round % kinds.length] ?? processesOfAnotherFolder
    const result = await strikeUnderLoad(system, context, fault(system, failures))
    const { failed } = await system.queue.counts()
    if (failed > 0) failures.push(`${failed} jobs have failed`)
    const { rowCount } = await system.pool.query('SELECT FROM set_aside_batches')
    if (rowCount !== 0) failures.push(`${rowCount} batches are set aside`)
    const aside = readdirSync(system.spoolDir, { recursive: true, encoding: 'utf8' }).filter(name =>
      /\.(aside|retry|damaged)$/.test(name),
    )
    if (aside.length > 0) failures.push(`the spool has ${aside.join(', ')}`)
    result.failures.push(...failures)
    return result
  },
}

function processesOfAnotherFolder(system: FaultSystem, failures: string[]): Fault {
  const other = temporaryFolder()
  const otherKey = createQueueKey(other)
  return {
    async strike() {
      for (const worker of system.workers.splice(0)) await worker.stop()
    },
    async lasts() {
      const own = readQueueKey(system.spoolDir)?.fingerprint ?? ''
      for (const program of ['worker', 'api'])
        await refused(system, { program, spoolDir: other, names: [own, otherKey.fingerprint] }, failures)
    },
    async heal() {
      await system.startWorker()
    },
    promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000 },
  }
}

function keyIsLost(system: FaultSystem, failures: string[]): Fault {
  const { port } = system.api()
  return {
    async strike() {
      // Batches of the lost key are left in the queue.
      for (const worker of system.workers.splice(0)) await kill(worker)
      await waitUntil(async () => (await system.queue.counts()).waiting > 0, { what: 'jobs wait' })
      await kill(system.api().process)
    },
    async lasts() {
      const path = join(system.spoolDir, 'queue.key')
      const lost = readQueueKey(system.spoolDir)?.fingerprint ?? ''
      rmSync(path)
      for (const program of ['worker', 'api'])
        await refused(system, { program, spoolDir: system.spoolDir, names: [lost] }, failures)
      if (existsSync(path)) failures.push('a key was created anew')
    },
    async heal() {
      const { code, output } = await run(system, 'apps/worker/queue-command.ts', ['rotate-key'])
      if (code !== 0) throw new Error(`the key was not replaced: ${output}`)
      await system.startApi({}, port)
      await system.startWorker()
    },
    promises: { drainedWithinMs: 60_000 },
  }
}

function jobOfAForeignKey(system: FaultSystem, failures: string[]): Fault {
  const foreignKey = createQueueKey(temporaryFolder())
  const producerId = newProducerId()
  const linkId = 1_000_000 + Math.floor(Math.random() * 1e9)
  const frames = encodeFrame([{ linkId, referrer: undefined, userAgent: undefined }], Date.now(), new Map())
  const readiness = async () => {
    const worker = system.workers.at(-1)
    return worker && (await fetch(`${workerOrigin(worker)}/readyz`)).status
  }
  return {
    async strike() {
      const job = { producerId, seq: 1, frames: packFrames(frames, foreignKey.secret) }
      await system.queue.add({ ...job, key: foreignKey.fingerprint })
    },
    async lasts() {
      await waitUntil(async () => (await readiness()) === 503, { what: 'the worker says so' })
    },
    async heal() {
      mkdirSync(join(system.spoolDir, producerId))
      writeFileSync(segmentPath(join(system.spoolDir, producerId), 1, 'sealed'), frames)
      const counted = async () =>
        (await system.pool.query('SELECT FROM visits WHERE link_id = $1', [linkId])).rowCount
      await waitUntil(async () => (await counted()) === 1, {
        what: 'the visit is counted',
        deadlineMs: 60_000,
      }).catch(error => failures.push(String(error)))
      await waitUntil(async () => (await readiness()) === 200, {
        what: 'the worker is ready again',
        deadlineMs: 90_000,
      }).catch(error => failures.push(String(error)))
    },
    promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 120_000 },
  }
}

async function kill(process: { kill(signal: 'SIGKILL'): void; exited: Promise<unknown> }): Promise<void> {
  process.kill('SIGKILL')
  await process.exited
}

/** The program ends by itself, with one line that names these fingerprints. */
async function refused(
  system: FaultSystem,
  { program, spoolDir, names }: { program: string; spoolDir: string; names: string[] },
  failures: string[],
): Promise<void> {
  const { code, stderr } = await run(
    { databaseUrl: system.databaseUrl, spoolDir },
    `apps/${program}/main.ts`,
    [],
  )
  const lines = stderr.trim().split('\n')
  if (code !== 1 || lines.length !== 1 || names.some(name => !lines[0]?.includes(name)))
    failures.push(`the ${program} with another key ended with ${code} and: ${stderr}`)
}

async function run(
  { databaseUrl, spoolDir }: Pick<FaultSystem, 'databaseUrl' | 'spoolDir'>,
  script: string,
  args: string[],
): Promise<{ code: number | null; output: string; stderr: string }> {
  const env = { DATABASE_URL: databaseUrl, SPOOL_DIR: spoolDir, PORT: '0', WORKER_METRICS_PORT: '0' }
  const started = startProcess({ script, args, env })
  const late = setTimeout(() => started.kill('SIGKILL'), 20_000)
  const { code } = await started.exited
  clearTimeout(late)
  return { code, output: started.output(), stderr: started.stderr() }
}
