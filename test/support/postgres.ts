import { setTimeout as sleep } from 'node:timers/promises'
import { migrateDatabase } from '../../apps/stack/migrate-database.ts'
import { startEmbeddedPostgres } from '../../apps/stack/postgres/embedded-postgres.ts'
import { commandLine, sendSignal } from '../../apps/stack/processes/running-process.ts'
import { cleanUpLater } from './clean-up.ts'
import { childrenOf } from './process-tree.ts'
import { endWithUs } from './run.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** A PostgreSQL server of one test, to be stopped, killed and restarted on the same data and port. */
export interface TestPostgres {
  /** Database `hopcount`, migrated unless `migrated` is false. The same after every restart. */
  url: string
  adminUrl: string
  port: number
  pid: number
  stop(): Promise<void>
  /** SIGKILL to the postmaster and all of its backends; returns when all are gone. */
  kill9(): Promise<void>
  /** SIGSTOP or SIGCONT to postmaster and backends: a server that hangs. */
  freeze(): void
  thaw(): void
  /** Starts again on the same data and port; stops it first if it runs. */
  restart(): Promise<void>
}

export async function startPostgres(
  options: { migrated?: boolean; queueInPostgres?: boolean } = {},
): Promise<TestPostgres> {
  const { migrated = true, queueInPostgres = true } = options
  const folder = temporaryFolder()
  let server = await startEmbeddedPostgres({ folder, onSpawn: endWithUs })
  let running = true
  const { port, url, adminUrl } = server

  async function stop(): Promise<void> {
    if (!running) return
    running = false
    thaw()
    await server.stop()
  }

  async function kill9(): Promise<void> {
    if (!running) return
    running = false
    // The postmaster first: it would start to recover when it saw a backend die.
    const pids = [server.pid, ...childrenOf(server.pid)]
    for (const pid of pids) sendSignal(pid, 'SIGKILL')
    await server.exited
    while (pids.some(pid => commandLine(pid) !== undefined)) await sleep(5)
  }

  function freeze(): void {
    for (const pid of [server.pid, ...childrenOf(server.pid)]) sendSignal(pid, 'SIGSTOP')
  }

  function thaw(): void {
    for (const pid of [...childrenOf(server.pid), server.pid]) sendSignal(pid, 'SIGCONT')
  }

  async function restart(): Promise<void> {
    await stop()
    server = await startEmbeddedPostgres({ folder, port, onSpawn: endWithUs })
    running = true
  }

  cleanUpLater(stop)
  if (migrated)
    await migrateDatabase({ databaseUrl: url, redisUrl: queueInPostgres ? undefined : 'redis://elsewhere' })
  return {
    url,
    adminUrl,
    port,
    get pid() {
      return server.pid
    },
    stop,
    kill9,
    freeze,
    thaw,
    restart,
  }
}
