/** The postmaster of a cluster: started until it accepts connections, stopped by ever harsher signals. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from '../processes/free-port.ts'
import type { SignalStep } from '../processes/running-process.ts'
import { commandLine, endProcess } from '../processes/running-process.ts'
import type { Cluster } from './postgres-cluster.ts'
import { isTransientFailure, lastError, logSize } from './postgres-log.ts'
import type { PostgresProgram } from './postgres-program.ts'
import { runProgram } from './postgres-program.ts'

/** How long a start is repeated after a transient failure. */
const startDeadlineMs = 30_000

/** Fast shutdown (sessions end, a checkpoint is written), immediate shutdown (recovered from the log), kill. */
const stopSteps: SignalStep[] = [
  ['SIGINT', 30_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
]

/** Starts the postmaster; resolves when it accepts connections. */
export async function launchServer(
  cluster: Cluster,
  wantedPort: number | undefined,
  urlOn: (port: number) => string,
): Promise<{ server: PostgresProgram; port: number }> {
  const { logFile } = cluster
  const deadline = performance.now() + startDeadlineMs
  for (;;) {
    await endLeftoverServer(cluster)
    const port = wantedPort ?? (await freePort())
    const logged = logSize(logFile)
    const server = runProgram(cluster, cluster.binaries.postgres, serverArguments(cluster, port))
    if (await acceptsConnections(server, urlOn(port))) return { server, port }
    const reason = lastError(logFile, logged)
    if (!isTransientFailure(logFile, logged) || performance.now() > deadline)
      throw new Error(`the embedded PostgreSQL did not start: ${reason} (see ${logFile})`)
    await sleep(200)
  }
}

export async function stopServer(server: PostgresProgram, steps = stopSteps): Promise<void> {
  for (const [signal, patienceMs] of steps) {
    server.child.kill(signal)
    const ended = await Promise.race([
      server.exited.then(() => true),
      sleep(patienceMs, false, { ref: false }),
    ])
    if (ended) return
  }
}

/** On the command line rather than in postgresql.conf, so that a newer version's settings apply to older data. */
function serverArguments(cluster: Cluster, port: number): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    // No socket file: its path may be too long, and a crash would leave it behind.
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    // Compressing the pages that are logged whole after a checkpoint made the log 5 % smaller, and took 5 to 10 % of
    // PostgreSQL's CPU time while visits were recorded.
    wal_compression: 'off',
    // For small queries on one machine, compilation costs more than it saves.
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] %a ',
  }
  if (cluster.profile === 'throwaway') {
    Object.assign(settings, { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' })
  }
  return [
    '-D',
    cluster.dataDir,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
}

/** True once a session can be opened, false if the server ended first. Crash recovery may take as long as it needs. */
async function acceptsConnections(server: PostgresProgram, url: string): Promise<boolean> {
  let ended = false
  void server.exited.then(() => {
    ended = true
  })
  while (!ended) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      // Another server may have taken the port first and answered; then our own has ended.
      return !ended
    } catch (error) {
      await client.end().catch(() => {})
      if (error instanceof pg.DatabaseError && error.code?.startsWith('28')) {
        await stopServer(server)
        throw new Error('the password of the embedded PostgreSQL is not the one in postgres-password')
      }
      await Promise.race([sleep(30), server.exited])
    }
  }
  return false
}

/**
 * Stops the postmaster that postmaster.pid names, if it runs on this cluster. If the id belongs to another process by
 * now, the file is stale and removed: PostgreSQL would mistake that process for a postmaster. A file whose process is
 * gone is left to PostgreSQL, which checks for shared memory still in use before it continues.
 */
async function endLeftoverServer(cluster: Cluster): Promise<void> {
  const pidFile = join(cluster.dataDir, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  const command = Number.isInteger(pid) && pid > 0 ? commandLine(pid) : undefined
  if (command === undefined) return
  const isOurs = (line: string) => line.includes(`-D ${cluster.dataDir} `)
  if (!isOurs(command)) {
    rmSync(pidFile, { force: true })
    return
  }
  const ended = await endProcess(pid, isOurs, [
    ['SIGINT', 20_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ])
  if (!ended) throw new Error(`the embedded PostgreSQL of an earlier start (process ${pid}) does not end`)
}
