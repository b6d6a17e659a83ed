/** A PostgreSQL server with an asynchronous standby, to be failed over to again and again. Clients reach the primary through a proxy. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { migrateDatabase } from '../../apps/stack/migrate-database.ts'
import type { EmbeddedPostgres } from '../../apps/stack/postgres/embedded-postgres.ts'
import { startEmbeddedPostgres } from '../../apps/stack/postgres/embedded-postgres.ts'
import { commandLine, sendSignal } from '../../apps/stack/processes/running-process.ts'
import { cleanUpLater } from './clean-up.ts'
import { childrenOf } from './process-tree.ts'
import { endWithUs } from './run.ts'
import { startTcpProxy } from './tcp-proxy.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { waitUntil } from './wait-until.ts'

export interface ReplicatedPostgres {
  /** Leads to the primary of the moment, through the proxy. */
  url: string
  /** Copies the primary, which is stopped for the copy, and waits until the copy follows it. */
  addStandby(): Promise<void>
  /** The standby has what is committed by now, and gets nothing from now on. */
  cutReplication(): Promise<void>
  /** SIGKILL to the primary and all of its backends. */
  killPrimary(): Promise<void>
  /** The standby becomes the primary, and the proxy leads to it. */
  promoteStandby(): Promise<void>
}

interface Server {
  folder: string
  running: EmbeddedPostgres
}

export async function startReplicatedPostgres(): Promise<ReplicatedPostgres> {
  const start = async (folder: string, port?: number): Promise<Server> => ({
    folder,
    running: await startEmbeddedPostgres({ folder, onSpawn: endWithUs, ...(port !== undefined && { port }) }),
  })
  let primary = await start(temporaryFolder())
  let standby: Server | undefined
  const clients = await startTcpProxy({ port: primary.running.port })
  const replication = await startTcpProxy({ port: primary.running.port })

  async function addStandby(): Promise<void> {
    const folder = temporaryFolder()
    const { port } = primary.running
    await primary.running.stop()
    // With its owner, who runs the server.
    execFileSync('cp', ['-a', `${primary.folder}/.`, folder])
    const data = join(folder, 'postgres')
    const { username, password } = new URL(primary.running.adminUrl)
    const source = `host=127.0.0.1 port=${replication.port} user=${username} password=${password} application_name=standby`
    appendFileSync(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`)
    writeFileSync(join(data, 'standby.signal'), '')
    primary = await start(primary.folder, port)
    replication.setTarget(port)
    replication.setMode('pass')
    standby = await start(folder)
    await waitUntil(() => standbyHas('pg_current_wal_lsn()'), { what: 'the standby follows' })
  }

  /** Whether the standby has replayed what the primary has written by now. */
  async function standbyHas(position: string): Promise<boolean> {
    const result = await query(
      primary.running.adminUrl,
      `SELECT coalesce(bool_and(replay_lsn >= ${position}), false) AS has FROM pg_stat_replication`,
    )
    return result.rows[0]?.has === true
  }

  async function cutReplication(): Promise<void> {
    const [now] = (await query(primary.running.adminUrl, 'SELECT pg_current_wal_flush_lsn()::text AS lsn'))
      .rows
    await waitUntil(() => standbyHas(`'${now?.lsn}'`), { what: 'the standby has what is committed' })
    replication.setMode('black-hole')
  }

  async function killPrimary(): Promise<void> {
    const pids = [primary.running.pid, ...childrenOf(primary.running.pid)]
    for (const pid of pids) sendSignal(pid, 'SIGKILL')
    await primary.running.exited
    await waitUntil(() => pids.every(pid => commandLine(pid) === undefined), { what: 'the primary is gone' })
  }

  async function promoteStandby(): Promise<void> {
    if (standby === undefined) throw new Error('there is no standby')
    await query(standby.running.adminUrl, 'SELECT pg_promote(true)')
    primary = standby
    standby = undefined
    clients.setTarget(primary.running.port)
    clients.cutConnections()
  }

  async function stop(): Promise<void> {
    await standby?.running.stop()
    await primary.running.stop()
  }

  cleanUpLater(stop)
  const url = new URL(primary.running.url)
  url.port = String(clients.port)
  await migrateDatabase({ databaseUrl: url.href, redisUrl: 'redis://elsewhere' })
  return { url: url.href, addStandby, cutReplication, killPrimary, promoteStandby }
}

async function query(url: string, statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return await client.query(statement)
  } finally {
    await client.end()
  }
}
