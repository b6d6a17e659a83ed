/**
 * An embedded PostgreSQL: one cluster in one folder, reachable on 127.0.0.1 by password alone.
 *
 *   <folder>/postgres           the cluster
 *   <folder>/postgres-password  the secret that its passwords come from, mode 0600, made once
 *   <folder>/postgres.log       what the server says
 *
 * Only one caller at a time may use a folder (see single-instance.ts). Starting on a folder always works, whatever
 * ended the use before: a cluster half made is made anew, a server that outlived its launcher is stopped, and while
 * backends that die still hold the shared memory the start is tried again, for up to 30 s.
 *
 * The server is in a process group of its own: Ctrl-C in a terminal reaches the launcher alone, which stops the
 * server last. Settings are given on the command line, so that a newer version's settings apply to older data.
 */

import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './free-port.ts'
import type { PostgresAccount } from './postgres-account.ts'
import { choosePostgresAccount } from './postgres-account.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { findPostgresBinaries } from './postgres-binaries.ts'
import { commandLine, endProcess } from './running-process.ts'

export interface EmbeddedPostgresOptions {
  /** Absolute path; made where it is missing. */
  folder: string
  /** Chosen freely where absent. */
  port?: number
  /** `throwaway` gives up durability for speed: for tests that never crash the server. */
  profile?: 'durable' | 'throwaway'
}

export interface EmbeddedPostgres {
  /** Database `hopcount`, as its owner, who is no superuser. */
  url: string
  /** Database `postgres`, as the superuser. */
  adminUrl: string
  port: number
  /** Process id of the postmaster. */
  pid: number
  /** Resolves when the postmaster has ended, for whatever reason. */
  exited: Promise<void>
  /** Fast shutdown (sessions are ended, a checkpoint is written); after 30 s without it. */
  stop(): Promise<void>
}

const startDeadlineMs = 30_000
const role = 'hopcount'
const maxLogBytes = 10 * 1024 * 1024

interface Cluster {
  binaries: PostgresBinaries
  account: PostgresAccount
  dataDir: string
  passwordFile: string
  logFile: string
  profile: 'durable' | 'throwaway'
}

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, profile = 'durable' } = options
  const dataDir = join(folder, 'postgres')
  mkdirSync(folder, { recursive: true })
  const account = choosePostgresAccount(folder)
  const cluster: Cluster = {
    binaries: findPostgresBinaries(account),
    account,
    dataDir,
    passwordFile: join(folder, 'postgres-password'),
    logFile: join(folder, 'postgres.log'),
    profile,
  }
  const secret = readSecret(cluster)
  if (!existsSync(dataDir)) await createCluster(cluster)
  const { server, port } = await launchServer(cluster, options.port, secret)
  const adminUrl = urlOf('postgres', secret, port, 'postgres')
  const password = createHmac('sha256', secret).update(role).digest('base64url')
  try {
    await createDatabase(adminUrl, password)
  } catch (error) {
    await stopServer(server)
    throw error
  }
  return {
    url: urlOf(role, password, port, role),
    adminUrl,
    port,
    pid: server.pid,
    exited: server.exited,
    stop: () => stopServer(server),
  }
}

function urlOf(user: string, password: string, port: number, database: string): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/${database}`
}

/** The superuser's password, written before the cluster is made: a cluster without it can't exist. */
function readSecret(cluster: Cluster): string {
  if (existsSync(cluster.passwordFile)) return readFileSync(cluster.passwordFile, 'utf8').trim()
  if (existsSync(cluster.dataDir)) {
    throw new Error(
      `${cluster.passwordFile} is missing: put it back, or remove ${cluster.dataDir} to start without data`,
    )
  }
  const secret = randomBytes(24).toString('base64url')
  const draft = `${cluster.passwordFile}.new`
  writeFileSync(draft, `${secret}\n`, { mode: 0o600 })
  // initdb reads it as the account that PostgreSQL runs as.
  if (cluster.account.owner !== undefined)
    chownSync(draft, cluster.account.owner.uid, cluster.account.owner.gid)
  renameSync(draft, cluster.passwordFile)
  return secret
}

/** initdb works in a folder beside the right one, which gets its name when all is there: half a cluster never has it. */
async function createCluster(cluster: Cluster): Promise<void> {
  const { account, passwordFile, dataDir } = cluster
  const draft = `${dataDir}.new`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700 })
  if (account.owner !== undefined) chownSync(draft, account.owner.uid, account.owner.gid)
  const args = ['--pgdata', draft, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  // The built-in locale sorts alike on every machine; a system's own may be missing or change with an upgrade.
  args.push('--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8')
  if (cluster.profile === 'throwaway') args.push('--no-sync')
  const logged = logSize(cluster)
  const initdb = spawnAs(cluster, cluster.binaries.initdb, args)
  await initdb.exited
  if (initdb.child.exitCode !== 0) throw new Error(`initdb failed: ${lastComplaint(cluster, logged)}`)
  renameSync(draft, dataDir)
}

interface Server {
  child: ChildProcess
  pid: number
  exited: Promise<void>
}

/** Starts the postmaster and returns when it accepts connections. */
async function launchServer(
  cluster: Cluster,
  wantedPort: number | undefined,
  password: string,
): Promise<{ server: Server; port: number }> {
  const deadline = Date.now() + startDeadlineMs
  for (;;) {
    await endLeftoverServer(cluster)
    const port = wantedPort ?? (await freePort())
    const logged = logSize(cluster)
    const server = spawnAs(cluster, cluster.binaries.postgres, serverArguments(cluster, port))
    if (await acceptsConnections(server, urlOf('postgres', password, port, 'postgres')))
      return { server, port }
    const complaint = lastComplaint(cluster, logged)
    if (!passes(cluster, logged) || Date.now() > deadline) {
      throw new Error(`the embedded PostgreSQL did not start: ${complaint} (${cluster.logFile} says more)`)
    }
    await sleep(200)
  }
}

function serverArguments(cluster: Cluster, port: number): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    // No socket file: its path may be too long for one, and a crash would leave it behind.
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    wal_compression: 'on',
    // Small queries on one machine: compiling them costs more than it saves.
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

/** True once a session can be opened, false when the server ended before. Recovery after a crash takes as long as it takes. */
async function acceptsConnections(server: Server, url: string): Promise<boolean> {
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
      // Whoever answered may be a stranger that was faster on this port: then our own server ends.
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
 * Stops the postmaster that postmaster.pid names, if it is one on this cluster. Where the id belongs to another
 * process meanwhile, the file is stale and removed; PostgreSQL would take that process for a postmaster.
 * A file whose process is gone is left to PostgreSQL, which looks for shared memory still in use before it goes on.
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

async function stopServer(server: Server): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGINT', 30_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    server.child.kill(signal)
    const ended = await Promise.race([
      server.exited.then(() => true),
      sleep(patienceMs, false, { ref: false }),
    ])
    if (ended) return
  }
}

async function createDatabase(adminUrl: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl })
  client.on('error', () => {})
  await client.connect()
  try {
    const roles = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role])
    if (roles.rowCount === 0)
      await client.query(`CREATE ROLE ${role} LOGIN PASSWORD ${client.escapeLiteral(password)}`)
    const databases = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [role])
    if (databases.rowCount === 0) await client.query(`CREATE DATABASE ${role} OWNER ${role}`)
  } finally {
    await client.end()
  }
}

/** Runs a binary under the cluster's account, its output in the log file: no pipe that breaks when this process dies. */
function spawnAs(cluster: Cluster, file: string, args: string[]): Server {
  rotateLog(cluster.logFile)
  const log = openSync(cluster.logFile, 'a', 0o600)
  const child = spawn(...cluster.account.command(file, args), {
    ...cluster.account.spawnOptions,
    cwd: dirname(file),
    detached: true,
    // Nothing of the caller's environment: PGDATA, PGOPTIONS or a missing locale would change what the server does.
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const exited = new Promise<void>(resolve => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  return { child, pid: child.pid ?? 0, exited }
}

function rotateLog(logFile: string): void {
  if (existsSync(logFile) && statSync(logFile).size > maxLogBytes) renameSync(logFile, `${logFile}.1`)
}

function logSize(cluster: Cluster): number {
  return existsSync(cluster.logFile) ? statSync(cluster.logFile).size : 0
}

function logSince(cluster: Cluster, offset: number): string {
  if (!existsSync(cluster.logFile)) return ''
  const log = readFileSync(cluster.logFile)
  return log.subarray(log.length < offset ? 0 : offset).toString('utf8')
}

/** Reasons that pass by themselves: a predecessor that is still dying, a port that was taken a moment ago. */
function passes(cluster: Cluster, offset: number): boolean {
  return /lock file "postmaster\.pid"|pre-existing shared memory|could not create any TCP|Address already in use/.test(
    logSince(cluster, offset),
  )
}

function lastComplaint(cluster: Cluster, offset: number): string {
  const lines = logSince(cluster, offset)
    .split('\n')
    .filter(line => line !== '')
  const complaint = lines.findLast(line => /FATAL|PANIC|error:/.test(line)) ?? lines.at(-1)
  return complaint?.replace(/^.*?(FATAL|PANIC|error): */, '') ?? 'it said nothing'
}
