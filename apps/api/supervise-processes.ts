/**
 * WEB_CONCURRENCY above 1: this process owns the port and supervises that many API processes, which share it.
 *
 * A process that dies is replaced, and a sibling adopts its spool. SIGHUP replaces all processes one by one, each only
 * once its successor listens: an upgrade without a refused request. The first process is started alone, so that an error
 * that prevents its start (a port in use) is reported once and ends the supervisor.
 */
import type { Worker } from 'node:cluster'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@hopcount/shared/log.ts'
import { aggregateMetrics } from './health/aggregate-metrics.ts'

export interface Supervisor {
  stop(): Promise<void>
}

const restartDelayMs = 500

/** Resolves when all processes listen; rejects if the first one can't start. */
export async function superviseProcesses(count: number, log: Log): Promise<Supervisor> {
  aggregateMetrics()
  let stopping = false
  const serving = new Set<Worker>()

  async function startOne(): Promise<Worker> {
    const worker = cluster.fork()
    const listening = once(worker, 'listening').then(() => true)
    const exited = once(worker, 'exit').then(() => false)
    if (!(await Promise.race([listening, exited])))
      throw new Error('an API process exited before it listened')
    serving.add(worker)
    worker.once('exit', (code, signal) => {
      if (!serving.delete(worker) || stopping) return
      log.error({ pid: worker.process.pid, code, signal }, 'an API process exited; starting another')
      void replace()
    })
    return worker
  }

  async function replace(): Promise<void> {
    while (!stopping) {
      await sleep(restartDelayMs)
      try {
        await startOne()
        return
      } catch {}
    }
  }

  async function rollOver(): Promise<void> {
    log.info('replacing all API processes')
    for (const old of [...serving]) {
      await startOne()
      serving.delete(old)
      old.process.kill('SIGTERM')
      await once(old, 'exit')
    }
    log.info('all API processes have been replaced')
  }

  async function stop(): Promise<void> {
    stopping = true
    const exits = [...serving].map(worker => once(worker, 'exit'))
    for (const worker of serving) worker.process.kill('SIGTERM')
    await Promise.all(exits)
  }

  await startOne()
  for (let i = 1; i < count; i++) await startOne()
  let rolling = Promise.resolve()
  process.on('SIGHUP', () => {
    rolling = rolling
      .then(rollOver)
      .catch(error =>
        log.error(
          { reason: String(error) },
          'replacing the API processes failed; some are still the old ones',
        ),
      )
  })
  return { stop }
}
