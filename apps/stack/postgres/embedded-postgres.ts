/**
 * An embedded PostgreSQL: one cluster in one folder, reachable on 127.0.0.1 with a password only.
 *
 *   <folder>/postgres           the cluster
 *   <folder>/postgres-password  the secret its passwords are derived from, mode 0600, created once
 *   <folder>/postgres.log       the server's log
 *
 * Only one caller at a time may use a folder (see single-instance.ts). Starting on a folder always works, however the
 * previous use ended: a half-made cluster is created again, a server that outlived its launcher is stopped, and while
 * dying backends still hold the shared memory, the start is retried for up to 30 s.
 */
import { createHmac } from 'node:crypto'
import pg from 'pg'
import type { SignalStep } from '../processes/running-process.ts'
import { openCluster } from './postgres-cluster.ts'
import { launchServer, stopServer } from './postgres-server.ts'

export interface EmbeddedPostgresOptions {
  /** Absolute path; created if it is missing. */
  folder: string
  /** A free one if absent. */
  port?: number
  /** `throwaway` gives up durability for speed: for tests that never crash the server. */
  profile?: 'durable' | 'throwaway'
  /** Called with the process id of each program that is started (initdb, postmaster), as soon as it has one. */
  onSpawn?: (pid: number) => void
}

export interface EmbeddedPostgres {
  /** Database `hopcount`, as its owner, who is not a superuser. */
  url: string
  /** Database `postgres`, as the superuser. */
  adminUrl: string
  port: number
  /** Process id of the postmaster. */
  pid: number
  /** Resolves when the postmaster has ended, for whatever reason. */
  exited: Promise<void>
  /** Fast shutdown (sessions are ended, a checkpoint is written); harsher after 30 s, or as `steps` says. */
  stop(steps?: SignalStep[]): Promise<void>
}

const role = 'hopcount'

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, profile = 'durable', onSpawn = () => {} } = options
  const cluster = await openCluster({ folder, profile, onSpawn })
  const adminUrlOn = (port: number) => urlOf('postgres', cluster.secret, port, 'postgres')
  const { server, port } = await launchServer(cluster, options.port, adminUrlOn)
  const adminUrl = adminUrlOn(port)
  const password = createHmac('sha256', cluster.secret).update(role).digest('base64url')
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
    stop: steps => stopServer(server, steps),
  }
}

function urlOf(user: string, password: string, port: number, database: string): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/${database}`
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
