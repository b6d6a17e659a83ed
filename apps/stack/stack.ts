/**
 * All of Hopcount on one machine, as `npm start` runs it: an embedded PostgreSQL if no database is configured,
 * migrations, and worker and API as processes of their own.
 *
 * What is opened last is closed first: the API stops serving, the worker records what it can (the rest waits in the
 * spool) and ends, PostgreSQL shuts down. After a kill -9 of any part, or of everything, a new start on the same folder
 * continues where the last one ended; until then the watchdog ends what a killed launcher leaves running.
 */
import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Configuration } from '@hopcount/shared/configuration/configuration.ts'
import { migrateDatabase } from './migrate-database.ts'
import { supervisePostgres } from './postgres/supervised-postgres.ts'
import { assertPortIsFree, freePort } from './processes/free-port.ts'
import { endLeftovers, writeProcesses } from './processes/process-file.ts'
import type { SignalStep } from './processes/running-process.ts'
import type { SupervisedProcess } from './processes/supervised-process.ts'
import { superviseProcess } from './processes/supervised-process.ts'
import { startWatchdog } from './processes/watchdog.ts'
import { lockFolder } from './single-instance.ts'

export interface StackOptions {
  /** DATABASE_URL is undefined if the embedded PostgreSQL is to be used. */
  configuration: Omit<Configuration, 'DATABASE_URL'> & { DATABASE_URL: string | undefined }
  /** What the children are started with; configuration that the launcher chooses is added. */
  environment: NodeJS.ProcessEnv
  /** Absolute path of `.data`. */
  folder: string
  /** Opens the inspector of API (port 9229) and worker (9230) on loopback. */
  inspect: boolean
  complain: (line: string) => void
}

export type Part = keyof typeof programs

export interface Stack {
  /** Resolves with the address when the API is ready. Throws one line if something can't start; call `stop` then. */
  start(): Promise<{ address: string }>
  /** Replaces the process of a part by a new one. */
  restart(part: Part): Promise<void>
  /** Stops what has been started, in order, within 14 s. May be called at any moment. */
  stop(): Promise<void>
  /** Ends API and worker at once, for those who can't wait for `stop`; the visits are in the spool. */
  hurry(): void
}

const programs = {
  api: fileURLToPath(new URL('../api/main.ts', import.meta.url)),
  worker: fileURLToPath(new URL('../worker/main.ts', import.meta.url)),
}
const inspectPorts = { api: 9229, worker: 9230 }
const readyDeadlineMs = 60_000
const restartPatienceMs = 5_000

/** `npm start` promises to be gone 15 s after SIGTERM. Each part leaves time for those that are stopped after it. */
const stopDeadlineMs = 14_000
const keptBackMs = { postgresStart: 5_000, api: 4_500, worker: 2_500 }

/** When the launcher has gone, API and worker notice it and stop by themselves: SIGTERM comes only for one that doesn't. */
const stepsWithoutLauncher: SignalStep[] = [
  ['SIGCONT', 4_000],
  ['SIGTERM', 1_000],
  ['SIGKILL', 1_000],
]
const postgresStepsWithoutLauncher: SignalStep[] = [
  ['SIGINT', 2_500],
  ['SIGQUIT', 500],
  ['SIGKILL', 1_000],
]

export function createStack(options: StackOptions): Stack {
  const { configuration, folder, complain } = options
  const watchdog = startWatchdog()
  const pids: Partial<Record<Part, number>> = {}
  const children: Partial<Record<Part, SupervisedProcess>> = {}
  const closers: ((stopBy: number) => Promise<void>)[] = []
  let opening: Promise<unknown> = Promise.resolve()
  let ready = false
  let stopped: Promise<void> | undefined

  async function start(): Promise<{ address: string }> {
    mkdirSync(folder, { recursive: true })
    await lockFolder(folder)
    await endLeftovers(folder, programs)
    const port = await choosePort()
    const databaseUrl = configuration.DATABASE_URL ?? (await openPostgres())
    assertNotStopped()
    await migrateDatabase({
      databaseUrl: configuration.DIRECT_DATABASE_URL ?? databaseUrl,
      redisUrl: configuration.REDIS_URL,
      warn: options.complain,
    })
    assertNotStopped()
    const environment = { ...options.environment, DATABASE_URL: databaseUrl, PORT: String(port) }
    const worker = startChild('worker', environment)
    const api = startChild('api', environment)
    const address = addressOf(configuration.HOST, port)
    await Promise.race([becomesReady(address), throwsIfEnds(api, 'API'), throwsIfEnds(worker, 'worker')])
    assertNotStopped()
    ready = true
    return { address }
  }

  async function choosePort(): Promise<number> {
    const { HOST: host, PORT: port } = configuration
    if (port === 0) return freePort(host)
    try {
      await assertPortIsFree(port, host)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : error
      const reason =
        code === 'EADDRINUSE' ? 'it is in use (set PORT to another one, or to 0 for any)' : String(code)
      throw new Error(`can't listen on port ${port} of ${host}: ${reason}`, { cause: error })
    }
    return port
  }

  async function openPostgres(): Promise<string> {
    // Never given up half-way: `stop` waits until there is something that it can stop.
    const starting = supervisePostgres({
      folder,
      onSpawn: pid => watchdog.endAfterUs(pid, postgresStepsWithoutLauncher, 'last'),
      complain,
    })
    opening = starting
    const postgres = await starting
    closers.push(stopBy => {
      const fastMs = Math.max(1_000, stopBy - performance.now() - 1_000)
      return postgres.stop([
        ['SIGINT', fastMs],
        ['SIGQUIT', 500],
        ['SIGKILL', 500],
      ])
    })
    return postgres.url
  }

  function startChild(name: Part, environment: NodeJS.ProcessEnv): SupervisedProcess {
    const child = superviseProcess({
      name,
      script: programs[name],
      // The young generation is limited: apps/decisions/0007-memory-limits.md. Without --inspect, SIGUSR1 must not open an inspector either.
      nodeOptions: [
        '--max-semi-space-size=8',
        options.inspect ? `--inspect=127.0.0.1:${inspectPorts[name]}` : '--disable-sigusr1',
      ],
      environment,
      onSpawn(pid) {
        watchdog.endAfterUs(pid, stepsWithoutLauncher)
        pids[name] = pid
        writeProcesses(folder, pids)
      },
      onRestart: (name, reason, delayMs) =>
        complain(`the ${name} ended (${reason}); starting it again in ${delayMs / 1_000} s`),
      restarts: () => ready,
    })
    children[name] = child
    closers.push(async stopBy => {
      const killed = await child.stop(Math.max(1_000, stopBy - performance.now() - keptBackMs[name]))
      if (killed) complain(`the ${name} did not stop in time and was killed; its visits are in the spool`)
    })
    return child
  }

  function assertNotStopped(): void {
    if (stopped !== undefined) throw new Error('stopped while starting')
  }

  async function close(): Promise<void> {
    const stopBy = performance.now() + stopDeadlineMs
    // A PostgreSQL that still recovers is left to the watchdog.
    const patienceMs = stopDeadlineMs - keptBackMs.postgresStart
    await Promise.race([opening.catch(() => {}), sleep(patienceMs, undefined, { ref: false })])
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer(stopBy)
    if (Object.keys(pids).length > 0) writeProcesses(folder, {})
  }

  return {
    start,
    async restart(part) {
      await children[part]?.restart(restartPatienceMs)
    },
    stop() {
      stopped ??= close()
      return stopped
    },
    hurry() {
      for (const child of Object.values(children)) child.kill()
    },
  }
}

async function becomesReady(address: string): Promise<void> {
  const deadline = performance.now() + readyDeadlineMs
  while (performance.now() < deadline) {
    try {
      const response = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(2_000) })
      await response.body?.cancel()
      if (response.status === 200) return
    } catch {
      // It does not listen yet.
    }
    await sleep(50)
  }
  throw new Error(
    `the API did not become ready within ${readyDeadlineMs / 1_000} s: ${address}/readyz says why`,
  )
}

/** Throws if the child ends before everything is ready. It has reported the reason itself. */
async function throwsIfEnds(child: SupervisedProcess, what: string): Promise<never> {
  const code = await child.firstFailure
  throw new Error(`the ${what} did not start (exit code ${code ?? 'unknown'})`)
}

/** Where a client on this machine reaches a server that listens on `host`. */
function addressOf(host: string, port: number): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`
}
