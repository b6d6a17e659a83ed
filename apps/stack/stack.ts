/**
 * The whole of Hopcount on one machine, as `npm start` runs it: embedded PostgreSQL where none is configured,
 * migrations, worker and API as processes of their own.
 *
 * What is opened last is closed first: the API stops answering, its visits are recorded as far as they get (the rest
 * waits in the spool), the worker ends, PostgreSQL shuts down. After a kill -9 of anything, or of everything, a new
 * start on the same folder takes up where it ended.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Configuration } from '@hopcount/shared/configuration.ts'
import { assertPortIsFree, freePort } from './free-port.ts'
import { migrateDatabase } from './migrate-database.ts'
import { endProcess } from './running-process.ts'
import { lockFolder } from './single-instance.ts'
import { keepPostgres } from './supervised-postgres.ts'
import type { KeptProcess } from './supervised-process.ts'
import { keepProcess } from './supervised-process.ts'

export interface StackOptions {
  /** DATABASE_URL is undefined where the embedded PostgreSQL is to be used. */
  configuration: Omit<Configuration, 'DATABASE_URL'> & { DATABASE_URL: string | undefined }
  /** What the children are started with; configuration that the launcher chooses is added. */
  environment: NodeJS.ProcessEnv
  /** Absolute path of `.data`. */
  folder: string
  complain: (line: string) => void
}

export interface Stack {
  /** Resolves with the address when the API is ready. Throws one line where something can't start; then stop it. */
  start(): Promise<{ address: string }>
  /** Stops what has been started, in order. May be called at any moment. */
  stop(): Promise<void>
  /** Ends API and worker at once, for who can't wait for `stop`; the visits are in the spool. */
  hurry(): void
}

const programs = {
  api: fileURLToPath(new URL('../api/main.ts', import.meta.url)),
  worker: fileURLToPath(new URL('../worker/main.ts', import.meta.url)),
}
const childPatienceMs = 15_000
const readyDeadlineMs = 60_000

export function createStack(options: StackOptions): Stack {
  const { configuration, folder, complain } = options
  const pidFile = join(folder, 'processes')
  const pids: Record<string, number> = {}
  const children: KeptProcess[] = []
  const closers: (() => Promise<void> | void)[] = []
  let opening: Promise<unknown> = Promise.resolve()
  let ready = false
  let stopped: Promise<void> | undefined

  async function start(): Promise<{ address: string }> {
    mkdirSync(folder, { recursive: true })
    await lockFolder(folder)
    await endLeftovers(pidFile)
    const port = await choosePort()
    const databaseUrl = configuration.DATABASE_URL ?? (await openPostgres())
    assertNotStopped()
    await migrateDatabase({ databaseUrl, redisUrl: configuration.REDIS_URL })
    assertNotStopped()
    const environment = { ...options.environment, DATABASE_URL: databaseUrl, PORT: String(port) }
    const worker = startChild('worker', environment)
    const api = startChild('api', environment)
    const address = addressOf(configuration.HOST, port)
    await Promise.race([answersReady(address), orEnds(api, 'the API'), orEnds(worker, 'the worker')])
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
      const reason = code === 'EADDRINUSE' ? 'it is in use' : String(code)
      throw new Error(`PORT ${port} of ${host} can't be listened on: ${reason}`, { cause: error })
    }
    return port
  }

  async function openPostgres(): Promise<string> {
    // Never given up half-way: `stop` waits until there is something that it can stop.
    const starting = keepPostgres(folder, complain)
    opening = starting
    const postgres = await starting
    closers.push(postgres.stop)
    return postgres.url
  }

  function startChild(name: keyof typeof programs, environment: NodeJS.ProcessEnv): KeptProcess {
    const child = keepProcess({
      name,
      script: programs[name],
      environment,
      onStart(pid) {
        pids[name] = pid
        writeFileSync(pidFile, JSON.stringify(pids))
      },
      onRestart: (name, reason, delayMs) =>
        complain(`${name} ended (${reason}); starting it again in ${delayMs / 1_000} s`),
      restarts: () => ready,
    })
    children.push(child)
    closers.push(() => child.stop(childPatienceMs))
    return child
  }

  function assertNotStopped(): void {
    if (stopped !== undefined) throw new Error('stopped while starting')
  }

  async function close(): Promise<void> {
    await opening.catch(() => {})
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer()
    if (Object.keys(pids).length > 0) rmSync(pidFile, { force: true })
  }

  return {
    start,
    stop() {
      stopped ??= close()
      return stopped
    },
    hurry() {
      for (const child of children) child.kill()
    },
  }
}

/**
 * API and worker of an earlier start whose launcher was killed stop by themselves, which may take a while; until they
 * have, they hold ports and connections.
 */
async function endLeftovers(pidFile: string): Promise<void> {
  for (const [name, pid] of Object.entries(readPids(pidFile))) {
    const script = programs[name as keyof typeof programs]
    const ended = await endProcess(pid, command => command.includes(script), [
      ['SIGTERM', childPatienceMs],
      ['SIGKILL', 5_000],
    ])
    if (!ended) throw new Error(`the ${name} of an earlier start (process ${pid}) does not end`)
  }
}

function readPids(pidFile: string): Partial<Record<keyof typeof programs, number>> {
  try {
    const pids: unknown = JSON.parse(readFileSync(pidFile, 'utf8'))
    const known = Object.entries(pids ?? {}).filter(
      ([name, pid]) => name in programs && Number.isInteger(pid) && pid > 0,
    )
    return Object.fromEntries(known)
  } catch {
    // Nothing was started before, or a crash cut the file: leftovers end by themselves.
    return {}
  }
}

async function answersReady(address: string): Promise<void> {
  const deadline = Date.now() + readyDeadlineMs
  while (Date.now() < deadline) {
    try {
      const response = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(2_000) })
      await response.body?.cancel()
      if (response.status === 200) return
    } catch {
      // It does not listen yet.
    }
    await sleep(50)
  }
  throw new Error(`the API was not ready within ${readyDeadlineMs / 1_000} s: ${address}/readyz says why`)
}

/** Throws when the child ends before everything is ready. It has said why itself. */
async function orEnds(child: KeptProcess, what: string): Promise<never> {
  const code = await child.firstFailure
  throw new Error(`${what} did not start (exit code ${code ?? 'unknown'})`)
}

/** Where a client on this machine reaches a server that listens on `host`. */
function addressOf(host: string, port: number): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`
}
